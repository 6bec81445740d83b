use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::UnOp;

/// An expression over the fields of a state.
pub(crate) struct Expr {
    pub(crate) value: syn::Expr,
    /// The fields that occur in it.
    pub(crate) fields: Vec<Ident>,
    /// The name of the settings, if they occur in it.
    pub(crate) settings: Option<Ident>,
}

impl Expr {
    /// The expression in `value`, which [`is_known`].
    pub(crate) fn new(value: &TokenStream, fields: &[Ident]) -> Self {
        let mut found = Vec::new();
        occurring(value, fields, &mut found);
        let parsed = syn::parse2(value.clone());
        let settings = settings(value).filter(|name| !fields.contains(name));
        let value = parsed.unwrap_or_else(|_| syn::Expr::Verbatim(value.clone()));
        Self { value, fields: found, settings }
    }
}

/// The word `settings` in an expression.
pub(crate) fn settings(value: &TokenStream) -> Option<Ident> {
    let mut found = Vec::new();
    occurring(value, &[Ident::new("settings", Span::call_site())], &mut found);
    found.pop()
}

/// Whether all of `value` has a place in an attribute. A closure has none, for example, because the macro
/// does not look for arithmetic in it. The answer does not depend on the features of `syn`.
pub(crate) fn is_known(value: &TokenStream) -> bool {
    syn::parse2(value.clone()).is_ok_and(|mut value| has_known_parts(&mut value))
}

fn has_known_parts(value: &mut syn::Expr) -> bool {
    parts(value).is_some_and(|parts| parts.into_iter().all(has_known_parts))
}

/// The expressions that `value` consists of; `None` if it has no place in an attribute.
pub(crate) fn parts(value: &mut syn::Expr) -> Option<Vec<&mut syn::Expr>> {
    use syn::Expr::{
        Binary, Call, Cast, Field, Group, Index, Lit, Macro, MethodCall, Paren, Path, Reference,
        Struct, Tuple, Unary,
    };
    Some(match value {
        Lit(_) | Macro(_) | Path(_) | Struct(_) => Vec::new(),
        Binary(binary) => vec![&mut *binary.left, &mut *binary.right],
        Call(call) => [&mut *call.func].into_iter().chain(&mut call.args).collect(),
        Cast(cast) => vec![&mut *cast.expr],
        Field(field) => vec![&mut *field.base],
        Group(group) => vec![&mut *group.expr],
        Index(index) => vec![&mut *index.expr, &mut *index.index],
        MethodCall(call) => [&mut *call.receiver].into_iter().chain(&mut call.args).collect(),
        Paren(paren) => vec![&mut *paren.expr],
        Reference(reference) => vec![&mut *reference.expr],
        Tuple(tuple) => tuple.elems.iter_mut().collect(),
        // The opposite of the smallest number does not fit, and no length is negative.
        Unary(unary) => match (&unary.op, &*unary.expr) {
            (UnOp::Neg(_), operand) if !matches!(operand, Lit(_)) => return None,
            _ => vec![&mut *unary.expr],
        },
        _ => return None,
    })
}

/// Adds the `fields` that occur in `tokens` to `found`, with their spans.
fn occurring(tokens: &TokenStream, fields: &[Ident], found: &mut Vec<Ident>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(name) if fields.contains(&name) && !found.contains(&name) => {
                found.push(name);
            }
            TokenTree::Group(group) => occurring(&group.stream(), fields, found),
            _ => {}
        }
    }
}

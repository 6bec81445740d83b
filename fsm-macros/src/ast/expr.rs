use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
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
    /// The expression in `value`, which [`unknown_part`] has found no fault with.
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

/// The tokens in `value` that have no place in an attribute, such as a closure: the macro could not find
/// the arithmetic in them.
pub(crate) fn unknown_part(value: &TokenStream) -> Option<TokenStream> {
    match syn::parse2(value.clone()) {
        Ok(mut value) => without_place(&mut value),
        Err(_) => Some(value.clone()),
    }
}

fn without_place(value: &mut syn::Expr) -> Option<TokenStream> {
    let all = value.to_token_stream();
    match parts(value) {
        Some(parts) => parts.into_iter().find_map(without_place),
        None => Some(all),
    }
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
        Call(call) => call.args.iter_mut().collect(),
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

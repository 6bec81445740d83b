use proc_macro2::{Ident, TokenStream, TokenTree};

/// An expression over the fields of a state.
pub(crate) struct Expr {
    pub(crate) value: TokenStream,
    /// The fields that occur in it.
    pub(crate) fields: Vec<Ident>,
}

impl Expr {
    pub(crate) fn new(value: &TokenStream, fields: &[Ident]) -> Self {
        let mut found = Vec::new();
        occurring(value, fields, &mut found);
        Self { value: value.clone(), fields: found }
    }
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

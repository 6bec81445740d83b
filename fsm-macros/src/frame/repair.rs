//! Removes the parts of an item that rustc's grammar refuses.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser;
use syn::{DeriveInput, Field, Variant};

use crate::parse::marks;

/// The item with only the names of the fields, and without the variants, that cannot be read; `None` if the
/// rest cannot be read either.
pub(crate) fn repaired(item: TokenStream) -> Option<(TokenStream, DeriveInput)> {
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    let is_enum = tokens.iter().any(|token| is_word(token, "enum"));
    let ty = some_type(&tokens);
    let body = braces(&mut tokens)?;
    *body = with(body, parts(body.stream(), if is_enum { variant } else { field }, &ty));
    let item: TokenStream = tokens.into_iter().collect();
    let read = syn::parse2(item.clone()).ok()?;
    Some((item, read))
}

/// A type for a field without one, which uses the lifetime of the item.
fn some_type(item: &[TokenTree]) -> TokenStream {
    let lifetime = item.windows(2).find(|pair| marks::is_mark(&pair[0], '\''));
    let Some([mark, name]) = lifetime else { return quote!(()) };
    quote!(::core::marker::PhantomData<&#mark #name ()>)
}

/// Whether the item is a struct or an enum.
pub(crate) fn is_data(item: &TokenStream) -> bool {
    let mut tokens = item.clone().into_iter();
    tokens.any(|token| is_word(&token, "struct") || is_word(&token, "enum"))
}

fn is_word(token: &TokenTree, expected: &str) -> bool {
    matches!(token, TokenTree::Ident(word) if word == expected)
}

/// The braces with which the tokens end.
fn braces(tokens: &mut [TokenTree]) -> Option<&mut Group> {
    match tokens.last_mut() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => Some(group),
        _ => None,
    }
}

fn with(group: &Group, stream: TokenStream) -> Group {
    let mut new = Group::new(group.delimiter(), stream);
    new.set_span(group.span());
    new
}

/// Reads the tokens of a field or variant, where the type stands for those of fields that have none.
type Read = fn(&mut [TokenTree], &TokenStream) -> Option<TokenStream>;

/// The parts between commas, as far as `read` can read them.
fn parts(tokens: TokenStream, read: Read, ty: &TokenStream) -> TokenStream {
    let mut parts: Vec<Vec<TokenTree>> = vec![Vec::new()];
    let mut depth = 0_usize;
    for token in tokens {
        if marks::is_mark(&token, '<') {
            depth += 1;
        } else if marks::is_mark(&token, '>') {
            depth = depth.saturating_sub(1);
        } else if marks::is_mark(&token, ',') && depth == 0 {
            parts.push(Vec::new());
            continue;
        }
        if let Some(part) = parts.last_mut() {
            part.push(token);
        }
    }
    let read = parts.into_iter().filter_map(|mut part| read(&mut part, ty));
    read.map(|part| quote!(#part,)).collect()
}

fn field(tokens: &mut [TokenTree], ty: &TokenStream) -> Option<TokenStream> {
    let all: TokenStream = tokens.iter().cloned().collect();
    if Field::parse_named.parse2(all.clone()).is_ok() {
        return Some(all);
    }
    let words = tokens.iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    });
    let named = words.filter(|word| *word != "pub").map(|name| quote!(#name: #ty));
    let mut named = named.filter(|named| Field::parse_named.parse2(named.clone()).is_ok());
    named.next()
}

fn variant(tokens: &mut [TokenTree], ty: &TokenStream) -> Option<TokenStream> {
    if let Some(body) = braces(tokens) {
        *body = with(body, parts(body.stream(), field, ty));
    }
    let tokens: TokenStream = tokens.iter().cloned().collect();
    syn::parse2::<Variant>(tokens.clone()).ok().map(|_| tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for (item, expected) in [
            ("struct A { a: , b: u8 }", "struct A { a : () , b : u8 , }"),
            ("struct A { a: u8 b: u8 }", "struct A { a : () , }"),
            (
                "struct A<'x> { #[is(1)] pub a }",
                "struct A < 'x > { a : :: core :: marker :: PhantomData < & 'x () > , }",
            ),
            (
                "enum A { B { c: Map<u8, u8>, d }, #[is(1)] }",
                "enum A { B { c : Map < u8 , u8 > , d : () , } , }",
            ),
        ] {
            let (found, _) = repaired(item.parse().unwrap()).unwrap();
            assert_eq!(found.to_string().replace(' ', ""), expected.replace(' ', ""), "{item}");
        }
        assert!(repaired("fn a() {}".parse().unwrap()).is_none());
    }
}

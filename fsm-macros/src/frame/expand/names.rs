//! Names and literals as generated code and messages have them.

use proc_macro2::{Ident, Literal as Token, Span, TokenStream};
use quote::format_ident;
use syn::ext::IdentExt;

use super::super::ast::{Field, Literal, Value};

/// The name of a byte of a chunk.
pub(crate) fn byte(number: usize) -> TokenStream {
    let name = format_ident!("byte_{number}", span = Span::mixed_site());
    generated!(#name)
}

/// A name as messages have it.
pub(crate) fn text(name: &Ident) -> String {
    name.unraw().to_string()
}

/// A literal as bytes.
pub(crate) fn bytes(literal: &Literal) -> TokenStream {
    let bytes = Token::byte_string(literal.value.bytes().unwrap_or_default());
    generated!(#bytes)
}

pub(crate) fn literal_len(literal: Option<&Literal>) -> usize {
    literal.and_then(|literal| literal.value.bytes()).map_or(0, <[u8]>::len)
}

/// The word that a field always is.
pub(crate) fn word_literal(field: &Field) -> TokenStream {
    match field.is.as_ref().map(|is| (is, &is.value)) {
        Some((_, Value::Int(number))) => {
            let bytes = Token::byte_string(number.to_string().as_bytes());
            generated!(#bytes)
        }
        Some((is, _)) => bytes(is),
        None => generated!(b""),
    }
}

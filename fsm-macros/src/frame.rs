//! The `#[frame]` attribute: a struct or an enum to its decoder and its encoder.
//!
//! ```text
//! parse -> ast -> check (+ roles) -> expand
//!                   |
//!                   +-> fallback, after findings
//! ```

mod ast;
mod check;
mod expand;
mod fallback;
mod parse;
mod roles;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::DeriveInput;

use crate::code::Code;
use crate::errors::Errors;

/// The tokens for a frame with these arguments of its attribute.
pub(crate) fn frame(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let read = match syn::parse2::<DeriveInput>(item.clone()) {
        Ok(read) => read,
        Err(error) => {
            match keyword(&item) {
                Some(_) => errors.at(Code::Unreadable, &item, error),
                None => {
                    let text = "a frame must be a struct or an enum; put `#[frame(..)]` on one";
                    errors.at(Code::NotAFrame, &item, text);
                }
            }
            return fallback::refused(item, errors);
        }
    };
    let Some(frame) = parse::parse(args, read, &mut errors) else {
        return fallback::refused(item, errors);
    };
    check::check(&frame, &mut errors);
    if errors.is_empty() {
        expand::expand(&frame)
    } else {
        fallback::fallback(frame, item, errors)
    }
}

/// The `struct` or `enum` of an item.
fn keyword(item: &TokenStream) -> Option<Ident> {
    let mut tokens = item.clone().into_iter();
    tokens.find_map(|token| match token {
        TokenTree::Ident(word) if word == "struct" || word == "enum" => Some(word),
        _ => None,
    })
}

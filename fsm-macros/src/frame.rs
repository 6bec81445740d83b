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
mod keywords;
mod parse;
mod repair;
mod roles;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::code::Code;
use crate::errors::Errors;

/// The tokens for a frame with these arguments of its attribute.
pub(crate) fn frame(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let (item, read) = match syn::parse2::<DeriveInput>(item.clone()) {
        Ok(read) => (item, read),
        Err(error) => match repair::repaired(item.clone()) {
            Some((item, read)) => {
                // rustc has refused a part by its grammar, so findings about the rest may follow from that.
                let frame = parse::parse(args, read, &mut Errors::default());
                return match frame {
                    Some(frame) => fallback::fallback(frame, item, errors),
                    None => fallback::refused(item, errors),
                };
            }
            None if repair::is_data(&item) => {
                errors.at(Code::Unreadable, &item, error);
                return fallback::refused(item, errors);
            }
            None => {
                let text = "a frame must be a struct or an enum; put `#[frame(..)]` on one";
                errors.at(Code::NotAFrame, &item, text);
                return fallback::refused(item, errors);
            }
        },
    };
    let keywords = keywords::keywords(&args, &item);
    let Some(frame) = parse::parse(args, read, &mut errors) else {
        return fallback::refused(item, errors);
    };
    check::check(&frame, &mut errors);
    // They come first, because an editor takes the first use of a token.
    let mut tokens = expand::keywords(&frame.root, &keywords);
    tokens.extend(if errors.is_empty() {
        expand::expand(frame)
    } else {
        fallback::fallback(frame, item, errors)
    });
    tokens
}

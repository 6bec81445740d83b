use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type};

use super::super::ast::Int;
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// A type as far as it decides how a field is sent.
pub(crate) enum Known {
    Int(Int),
    Bool,
    /// `[u8; N]`
    Array(TokenStream),
    /// `&'a [u8]`, or `&'a str`
    Borrowed {
        text: bool,
    },
    Words,
    Times(Type),
    /// Another type, which may be a frame.
    Other,
}

const INTS: [(&str, usize, bool); 9] = [
    ("u8", 1, false),
    ("u16", 2, false),
    ("u24", 3, false),
    ("u32", 4, false),
    ("u64", 8, false),
    ("i8", 1, true),
    ("i16", 2, true),
    ("i32", 4, true),
    ("i64", 8, true),
];

/// The integer of that name.
pub(crate) fn int(ty: &Type, little: bool) -> Option<Int> {
    let Type::Path(path) = ty else { return None };
    let name = path.path.get_ident()?;
    let (known, width, signed) = INTS.into_iter().find(|(known, ..)| name == known)?;
    let rust = if known == "u24" { Ident::new("u32", name.span()) } else { name.clone() };
    Some(Int { rust, width, signed, little })
}

/// The type in `tag = u8`.
pub(crate) fn tag(tokens: &TokenStream, errors: &mut Errors) -> Option<Int> {
    let int = syn::parse2(tokens.clone()).ok().and_then(|ty| int(&ty, false));
    match int.filter(|int| !int.signed) {
        Some(int) => Some(int),
        None => {
            let text =
                "a tag is an unsigned integer; write `tag = u8`, `u16`, `u24`, `u32` or `u64`";
            errors.at(Code::FieldType, tokens, text);
            None
        }
    }
}

/// The type in an `Option<..>`.
pub(crate) fn optional(ty: &Type) -> Option<Type> {
    argument(ty, "Option")
}

/// The last argument of the type `name<..>`.
fn argument(ty: &Type, name: &str) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.last()? {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    }
}

/// What a type is; after a finding `None`.
pub(crate) fn known(ty: &Type, little: bool, errors: &mut Errors) -> Option<Known> {
    if let Some(int) = int(ty, little) {
        return Some(Known::Int(int));
    }
    match ty {
        Type::Array(array) if is(&array.elem, "u8") => {
            return Some(Known::Array(array.len.to_token_stream()));
        }
        Type::Reference(reference) => {
            let text = match &*reference.elem {
                Type::Slice(slice) if is(&slice.elem, "u8") => false,
                elem if is(elem, "str") => true,
                _ => {
                    let text = "a frame lends bytes and text; write `&'a [u8]` or `&'a str`";
                    errors.at(Code::FieldType, ty, text);
                    return None;
                }
            };
            if reference.lifetime.is_none() {
                let written = spelling::tokens(&ty.to_token_stream()).replacen('&', "&'a ", 1);
                let text = format!(
                    "a frame lends this from the input, for a lifetime that its type names; write `{written}`"
                );
                errors.at(Code::NoLifetime, ty, text);
                return None;
            }
            return Some(Known::Borrowed { text });
        }
        Type::Path(path) => {
            if let Some(decoder) = argument(ty, "Times") {
                return Some(Known::Times(decoder));
            }
            if let Some(last) = path.path.segments.last() {
                let remedy = remedy(&last.ident.to_string());
                if let Some(remedy) = remedy {
                    let text = format!(
                        "`{}` is no type of a frame; {remedy}",
                        spelling::tokens(&ty.to_token_stream())
                    );
                    errors.at(Code::FieldType, ty, text);
                    return None;
                }
                if last.ident == "bool" {
                    return Some(Known::Bool);
                }
                if last.ident == "Words" {
                    return Some(Known::Words);
                }
            }
            return Some(Known::Other);
        }
        _ => {}
    }
    let text =
        "a field has an integer, bytes, a text, or a type that is declared with `#[frame(..)]`";
    errors.at(Code::FieldType, ty, text);
    None
}

/// What to write for a type that no frame has.
fn remedy(name: &str) -> Option<&'static str> {
    Some(match name {
        "usize" => "its size depends on the machine; write `u32` or `u64`",
        "isize" => "its size depends on the machine; write `i32` or `i64`",
        "u128" | "i128" => "write `[u8; 16]`, and `from_be_bytes` in the handler",
        "f32" => "write `u32`, and `f32::from_bits` in the handler",
        "f64" => "write `u64`, and `f64::from_bits` in the handler",
        "char" => "write `u8`",
        "String" => "a frame lends its text; write `&'a str`",
        "Vec" => "a frame lends its bytes, and other frames with `Times<'a, F>`; write `&'a [u8]`",
        "Bytes" => "a frame lends its bytes; write `&'a [u8]`",
        _ => return None,
    })
}

fn is(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident(name))
}

/// A type without `u24`, which Rust does not have.
pub(crate) fn in_rust(tokens: TokenStream) -> TokenStream {
    let replaced = |token| match token {
        TokenTree::Ident(name) if name == "u24" => Ident::new("u32", name.span()).into(),
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), in_rust(group.stream()));
            inner.set_span(group.span());
            inner.into()
        }
        token => token,
    };
    tokens.into_iter().map(replaced).collect()
}

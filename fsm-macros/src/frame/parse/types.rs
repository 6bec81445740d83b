use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericArgument, Lifetime, PathArguments, Type, TypePath, TypeReference};

use super::super::ast::Int;
use super::owner::Owner;
use crate::code::Code;
use crate::errors::Errors;
use crate::parse::marks;
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
    Times(Box<Type>),
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
    let int = int.filter(|int| !int.signed);
    if int.is_none() {
        let text = "a tag is an unsigned integer; write `tag = u8`, `u16`, `u24`, `u32` or `u64`";
        errors.at(Code::FieldType, tokens, text);
    }
    int
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

/// The kind of a type; `None` after a finding.
pub(crate) fn known(ty: &Type, little: bool, owner: &Owner, errors: &mut Errors) -> Option<Known> {
    if let Some(int) = int(ty, little) {
        return Some(Known::Int(int));
    }
    match ty {
        Type::Array(array) if is(&array.elem, "u8") => {
            return Some(Known::Array(array.len.to_token_stream()));
        }
        Type::Reference(reference) => return borrowed(ty, reference, owner, errors),
        Type::Path(path) => return named(ty, path, owner, errors),
        Type::Array(array) => {
            let elem = spelling::tokens(&array.elem.to_token_stream());
            let text = format!(
                "an array in a frame is of `u8`; declare a frame with a `{elem}`, and write `Times<'a, F>`"
            );
            errors.at(Code::FieldType, ty, text);
            return None;
        }
        Type::Slice(_) => {
            errors.at(Code::FieldType, ty, "a frame lends its bytes; write `&'a [u8]`");
            return None;
        }
        _ => {}
    }
    let text =
        "a field has an integer, bytes, a text, or a type that is declared with `#[frame(..)]`";
    errors.at(Code::FieldType, ty, text);
    None
}

/// The kind of `&'a [u8]` and `&'a str`.
fn borrowed(
    ty: &Type,
    reference: &TypeReference,
    owner: &Owner,
    errors: &mut Errors,
) -> Option<Known> {
    let text = match &*reference.elem {
        Type::Slice(slice) if is(&slice.elem, "u8") => false,
        elem if is(elem, "str") => true,
        _ => {
            let text = "a frame lends bytes and text; write `&'a [u8]` or `&'a str`";
            errors.at(Code::FieldType, ty, text);
            return None;
        }
    };
    if let Some(mutable) = reference.mutability {
        let text = "a frame lends this from the input, and cannot change it; remove `mut`";
        errors.at(Code::FieldType, mutable, text);
        return None;
    }
    let elem = spelling::tokens(&reference.elem.to_token_stream());
    let place = reference.and_token.to_token_stream();
    let lifetime = reference.lifetime.as_ref();
    lends(lifetime, &place, &|name| format!("&{name} {elem}"), owner, errors)?;
    Some(Known::Borrowed { text })
}

/// The kind of a type with a name.
fn named(ty: &Type, path: &TypePath, owner: &Owner, errors: &mut Errors) -> Option<Known> {
    if let Some(decoder) = argument(ty, "Times") {
        return times(ty, path, decoder, owner, errors);
    }
    if let Some(last) = path.path.segments.last() {
        if last.ident == owner.name {
            let text = "a frame cannot contain itself; its end would have no bound";
            errors.at(Code::FieldType, ty, text);
            return None;
        }
        if let Some(text) = other_int(&last.ident.to_string()) {
            errors.at(Code::FieldType, ty, text);
            return None;
        }
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
            let write = |name: &str| format!("Words<{name}>");
            lends(lifetime(ty), &ty.to_token_stream(), &write, owner, errors)?;
            return Some(Known::Words);
        }
    }
    if let Some(found) = lifetime(ty) {
        let last = path.path.segments.last().map(|last| last.ident.to_string());
        let last = last.unwrap_or_default();
        let write = |name: &str| format!("{last}<{name}>");
        lends(Some(found), &found.to_token_stream(), &write, owner, errors)?;
    }
    Some(Known::Other)
}

/// The kind of `Times<'a, Decoder>`.
fn times(
    ty: &Type,
    path: &TypePath,
    decoder: Type,
    owner: &Owner,
    errors: &mut Errors,
) -> Option<Known> {
    let written = spelling::tokens(&decoder.to_token_stream());
    let write = |name: &str| format!("Times<{name}, {written}>");
    let place = path.path.segments.last().map(|it| &it.ident).to_token_stream();
    lends(lifetime(ty), &place, &write, owner, errors)?;
    if let Some(lifetime) = lifetime(&decoder) {
        let text = format!(
            "`{written}` is the frame; write the name of its decoder, which is in its \
             `#[frame(..)]` and has no `{lifetime}`"
        );
        errors.at(Code::FieldType, decoder, text);
        return None;
    }
    Some(Known::Times(Box::new(decoder)))
}

/// The lifetime of a type `Name<'a, ..>`.
fn lifetime(ty: &Type) -> Option<&Lifetime> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Lifetime(lifetime) => Some(lifetime),
        _ => None,
    }
}

/// Refuses a lifetime that is not that of the item; `write` makes the type with another one.
fn lends(
    found: Option<&Lifetime>,
    place: &TokenStream,
    write: &dyn Fn(&str) -> String,
    owner: &Owner,
    errors: &mut Errors,
) -> Option<()> {
    let found_name = found.map(|found| found.ident.to_string());
    let place = found.map_or_else(|| place.clone(), ToTokens::to_token_stream);
    let item = &owner.name;
    let text = match (found_name.as_deref(), owner.lifetime.as_deref()) {
        (Some(found), Some(own)) if found == own => return Some(()),
        (_, Some(own)) => {
            let written = write(&format!("'{own}"));
            format!("a frame lends this from the input, for its own lifetime; write `{written}`")
        }
        (None | Some("static" | "_"), None) => {
            let written = write("'a");
            format!(
                "a frame lends this from the input, for a lifetime; write `{item}<'a>` and `{written}`"
            )
        }
        (Some(found), None) => {
            format!("`{item}` does not declare `'{found}`; write `{item}<'{found}>`")
        }
    };
    errors.at(Code::NoLifetime, place, text);
    None
}

/// The finding about an integer that no frame has.
fn other_int(name: &str) -> Option<String> {
    let bits: u64 = name.strip_prefix(['u', 'i'])?.parse().ok()?;
    let known = INTS.iter().map(|(known, ..)| known);
    (bits % 8 == 0 && bits < 64).then(|| {
        format!(
            "`{name}` is no integer of a frame, which has {}; write `[u8; {}]`",
            spelling::list(known),
            bits / 8
        )
    })
}

/// The text to write for a type that no frame has.
fn remedy(name: &str) -> Option<&'static str> {
    Some(match name {
        "usize" => "its size depends on the machine; write `u32` or `u64`",
        "isize" => "its size depends on the machine; write `i32` or `i64`",
        "u128" | "i128" => "write `[u8; 16]`, and `from_be_bytes` in the handler",
        "f32" => "write `u32`, and `f32::from_bits` in the handler",
        "f64" => "write `u64`, and `f64::from_bits` in the handler",
        "char" => "write `u8`",
        "String" | "str" => "a frame lends its text; write `&'a str`",
        "Vec" => "a frame lends its bytes, and other frames with `Times<'a, F>`; write `&'a [u8]`",
        "Bytes" => "a frame lends its bytes; write `&'a [u8]`",
        "Box" | "Rc" | "Arc" => "a frame allocates nothing; write the type in it",
        "Option" => "write one `Option`",
        "Ipv4Addr" => "write `[u8; 4]`, and `Ipv4Addr::from` in the handler",
        "Ipv6Addr" => "write `[u8; 16]`, and `Ipv6Addr::from` in the handler",
        _ => return None,
    })
}

fn is(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident(name))
}

/// A type after a finding, whose lifetimes are declared: that of the item, or `'static`.
pub(crate) fn lent(tokens: TokenStream, declared: Option<&Lifetime>) -> TokenStream {
    let forever = Lifetime::new("'static", Span::call_site());
    let lifetime = declared.unwrap_or(&forever);
    let mut made = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    let is_mark =
        |token: Option<&TokenTree>, mark| token.is_some_and(|it| marks::is_mark(it, mark));
    let mut is_times = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '\'' => {
                tokens.next();
                lifetime.to_tokens(&mut made);
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), lent(group.stream(), declared));
                inner.set_span(group.span());
                made.extend([TokenTree::from(inner)]);
            }
            token => {
                let is_reference = marks::is_mark(&token, '&');
                let begins_times = is_times && marks::is_mark(&token, '<');
                let name = match &token {
                    TokenTree::Ident(name) => name.to_string(),
                    _ => String::new(),
                };
                made.extend([token]);
                if is_reference && !is_mark(tokens.peek(), '\'') {
                    lifetime.to_tokens(&mut made);
                }
                if begins_times && !is_mark(tokens.peek(), '\'') {
                    made.extend(quote!(#lifetime,));
                }
                if name == "Words" && !is_mark(tokens.peek(), '<') {
                    made.extend(quote!(<#lifetime>));
                }
                is_times = name == "Times";
            }
        }
    }
    made
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_after_findings_are_declared() {
        let own = Lifetime::new("'a", Span::call_site());
        for (ty, declared, expected) in [
            ("&[u8]", Some(&own), "& 'a [u8]"),
            ("&[u8]", None, "& 'static [u8]"),
            ("&'b str", Some(&own), "& 'a str"),
            ("Option<&'_ str>", None, "Option < & 'static str >"),
            ("Times<Blocks>", Some(&own), "Times < 'a , Blocks >"),
            ("Times<'b, Blocks>", None, "Times < 'static , Blocks >"),
            ("Words", None, "Words < 'static >"),
            ("Block", Some(&own), "Block"),
        ] {
            let found = lent(ty.parse().unwrap(), declared).to_string();
            assert_eq!(found.replace(' ', ""), expected.replace(' ', ""), "{ty}");
        }
    }
}

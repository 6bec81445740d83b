use proc_macro2::TokenStream;

use super::super::super::ast::{Case, Field, Frame, Int, Kind, Literal};
use super::super::names::{byte, bytes};
use super::{Following, as_bytes, digits, each};

/// The number of bytes of a case, without its tag.
pub(crate) fn len(frame: &Frame, case: &Case) -> TokenStream {
    let lens = case.fields.iter().map(|field| field_len(frame, case, field));
    // The end of the part.
    let then = case.fields.iter().filter_map(|field| field.part.as_ref()?.then.as_ref());
    let then: usize = then.map(len_of).sum();
    generated!(#then #(+ #lens)*)
}

fn len_of(literal: &Literal) -> usize {
    literal.value.bytes().map_or(0, <[u8]>::len)
}

/// The number of bytes of a field, whose name is a reference to its value if it is kept.
pub(crate) fn field_len(frame: &Frame, case: &Case, field: &Field) -> TokenStream {
    let then = field.then.as_ref().map_or(0, len_of);
    let len = |value: &TokenStream| match &field.kind {
        Kind::Int(Int { width, .. }) => generated!(#width),
        Kind::Array(len) => generated!({ #len }),
        Kind::Bytes { .. } | Kind::Rest { .. } => generated!((#value.len() + #then)),
        Kind::Until { end, .. } => {
            let end = len_of(end);
            generated!((#value.len() + #end))
        }
        Kind::Times { .. } => generated!((#value.as_bytes().len() + #then)),
        Kind::Nested => generated!(__rt::Encode::encoded_len(#value)),
        Kind::Tagged(_) => generated!(__rt::__EncodeTagged::body_len(#value)),
        Kind::Varint { int, .. } => {
            let wide = super::wide(int, value);
            generated!(__parts::varint_len(#wide))
        }
        Kind::Digits { int, hex } => {
            let wide = super::wide(int, value);
            let len = digits::digits_len(int, *hex, &wide);
            generated!((#len + #then))
        }
        _ => generated!(0),
    };
    let name = &field.name;
    // A number that follows from others has a value in the scope, and no reference.
    if let Some(value) = case.number_that_follows(frame, field) {
        return match &field.kind {
            Kind::Varint { .. } => generated!(__parts::varint_len(#value)),
            Kind::Digits { hex: true, .. } => generated!((__parts::hex_len(#value) + #then)),
            _ => generated!((__parts::decimal_len(#value) + #then)),
        };
    }
    if !field.optional {
        return len(&generated!(#name));
    }
    let len = len(&generated!(value));
    generated!((match #name { __Some(value) => #len, __None => 0 }))
}

impl Case {
    /// The value of a number whose length varies, and that follows from others, as an `u64`.
    fn number_that_follows(&self, frame: &Frame, field: &Field) -> Option<TokenStream> {
        let (Kind::Varint { .. } | Kind::Digits { .. }) = field.kind else { return None };
        match self.follows(frame, field)? {
            Following::Length(value) => Some(generated!(#value.unwrap_or_default())),
            Following::Tag(tag) => Some(generated!(<u64 as ::core::convert::From<_>>::from(#tag))),
        }
    }
}

/// The body of `put` for a case, without its tag.
pub(crate) fn put(frame: &Frame, case: &Case) -> TokenStream {
    let mut code = TokenStream::new();
    let mut fixed = Vec::new();
    for field in &case.fields {
        if let (Kind::Int(int), None) = (&field.kind, &field.when) {
            fixed.push((int.width, int_bytes(frame, case, field, int)));
            continue;
        }
        code.extend(flushed(&mut fixed));
        code.extend(self::field(frame, case, field));
    }
    code.extend(flushed(&mut fixed));
    for then in case.fields.iter().filter_map(|field| field.part.as_ref()?.then.as_ref()) {
        let then = bytes(then);
        code.extend(generated!(__rt::Output::put(out, #then);));
    }
    code
}

/// Writes integers in a row together.
fn flushed(fixed: &mut Vec<(usize, TokenStream)>) -> Option<TokenStream> {
    let mut all = Vec::new();
    let mut parts = TokenStream::new();
    for (width, array) in fixed.drain(..) {
        let names: Vec<TokenStream> = (all.len()..all.len() + width).map(byte).collect();
        parts.extend(generated!(let [#(#names),*] = #array;));
        all.extend(names);
    }
    (!all.is_empty()).then(|| generated!({ #parts __rt::Output::put(out, &[#(#all),*]); }))
}

/// The bytes of an integer, as an array.
fn int_bytes(frame: &Frame, case: &Case, field: &Field, int: &Int) -> TokenStream {
    let (name, rust) = (&field.name, &int.rust);
    let value = match (&field.is, case.follows(frame, field)) {
        (Some(is), _) => is.tokens.clone(),
        (None, Some(Following::Tag(tag))) => tag,
        (None, Some(Following::Length(value))) => {
            // It fits, or `check` has refused it.
            generated!({ #value.unwrap_or_default() as #rust })
        }
        (None, None) => generated!(*#name),
    };
    int.to_bytes(&value)
}

/// Writes a field.
pub(crate) fn field(frame: &Frame, case: &Case, field: &Field) -> TokenStream {
    let then = field.then.as_ref().map(bytes);
    let then = then.map(|then| generated!(__rt::Output::put(out, #then);));
    if let Some(value) = case.number_that_follows(frame, field) {
        let to = match &field.kind {
            Kind::Digits { hex: true, .. } => generated!(to_hex),
            Kind::Digits { .. } => generated!(to_decimal),
            _ => generated!(to_varint),
        };
        return generated! {
            let (bytes, len) = __parts::#to(#value);
            __rt::Output::put(out, &bytes[..len]);
            #then
        };
    }
    if let (Kind::Array(_), Some(is)) = (&field.kind, &field.is) {
        let is = &is.tokens;
        return generated!(__rt::Output::put(out, #is););
    }
    each(field, |value| {
        let written = match &field.kind {
            Kind::Int(int) => {
                let bytes = int.to_bytes(&generated!(*#value));
                generated!(__rt::Output::put(out, &#bytes);)
            }
            Kind::Varint { int, .. } => {
                let wide = super::wide(int, value);
                generated! {
                    let (bytes, len) = __parts::to_varint(#wide);
                    __rt::Output::put(out, &bytes[..len]);
                }
            }
            Kind::Digits { int, hex } => digits::digits(int, *hex, &super::wide(int, value)),
            Kind::Array(_) => generated!(__rt::Output::put(out, #value);),
            Kind::Bytes { .. } | Kind::Rest { .. } => {
                let bytes = as_bytes(field, value);
                generated!(__rt::Output::put(out, #bytes);)
            }
            Kind::Until { end, .. } => {
                let (text, end) = (as_bytes(field, value), bytes(end));
                generated!(__rt::Output::put(out, #text); __rt::Output::put(out, #end);)
            }
            Kind::Nested => generated!(__rt::Encode::put(#value, out);),
            Kind::Tagged(_) => generated!(__rt::__EncodeTagged::put_body(#value, out);),
            Kind::Times { .. } => generated!(__rt::Output::put(out, #value.as_bytes());),
            _ => TokenStream::new(),
        };
        generated!(#written #then)
    })
}

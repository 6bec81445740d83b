use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Lit, Path};

use super::super::ast::{Ends, Literal, Size, Value};
use crate::code::Code;
use crate::errors::Errors;
use crate::parse::{literal, marks};

/// A literal, or a path to a constant.
pub(crate) fn literal(tokens: &TokenStream, errors: &mut Errors) -> Option<Literal> {
    let value = match syn::parse2::<Lit>(tokens.clone()) {
        Ok(Lit::Int(int)) if int.base10_digits().starts_with('-') => {
            let text =
                "a literal is its bytes; write an unsigned type, and a number such as `0xFFFF`";
            errors.at(Code::OtherLiteral, tokens, text);
            return None;
        }
        Ok(Lit::Int(int)) if !int.suffix().is_empty() => {
            let text = format!(
                "the type of a literal is that of its field; write `{}`",
                int.base10_digits()
            );
            errors.at(Code::OtherLiteral, tokens, text);
            return None;
        }
        Ok(Lit::Int(int)) => {
            let Ok(value) = int.base10_parse() else {
                let text = "an integer of a frame has at most 8 bytes; write an array for more";
                errors.at(Code::TooLarge, tokens, text);
                return None;
            };
            Value::Int(value)
        }
        Ok(Lit::Byte(byte)) => Value::Int(byte.value().into()),
        Ok(Lit::ByteStr(bytes)) => Value::Bytes(bytes.value()),
        Ok(Lit::Str(text)) => Value::Bytes(text.value().into_bytes()),
        Ok(Lit::Char(letter)) if letter.value().is_ascii() => {
            let text = format!("a frame has bytes and no letters; write `b{tokens}`");
            errors.at(Code::ValueUnreadable, tokens, text);
            return None;
        }
        Err(_) if syn::parse2::<Path>(tokens.clone()).is_ok() => Value::Path,
        _ => {
            let text = "expected a number, bytes such as `b\"\\r\\n\"`, a text, or a constant";
            errors.at(Code::ValueUnreadable, tokens, text);
            return None;
        }
    };
    Some(Literal { place: tokens.clone(), tokens: tokens.clone(), value })
}

/// Bytes such as `b"\r\n"`, at least one.
pub(crate) fn bytes(tokens: &TokenStream, errors: &mut Errors) -> Option<Literal> {
    let found = literal(tokens, errors)?;
    match &found.value {
        Value::Bytes(bytes) if bytes.is_empty() => {
            errors.at(Code::Delimiter, tokens, "what ends something has at least one byte");
            None
        }
        Value::Bytes(_) => Some(found),
        Value::Int(_) | Value::Path => {
            let text = "expected bytes such as `b\"\\r\\n\"`";
            errors.at(Code::Delimiter, tokens, text);
            None
        }
    }
}

/// The end of a line, or two such as `b"\r\n" | b"\n"`.
pub(crate) fn ends(tokens: &TokenStream, errors: &mut Errors) -> Option<Ends> {
    let ends: Option<Vec<Literal>> =
        alternatives(tokens, errors)?.iter().map(|end| bytes(end, errors)).collect();
    let mut ends = ends?.into_iter();
    let (written, other) = (ends.next()?, ends.next());
    let is_pair = match (written.value.bytes(), other.as_ref().map(|other| other.value.bytes())) {
        (Some([before @ .., end]), Some(Some([last]))) => {
            !before.is_empty() && end == last && !before.contains(last)
        }
        _ => other.is_none(),
    };
    if !is_pair || ends.next().is_some() {
        let text = "of two ends of a line the first is written, and the second is its last byte; write \
                    `b\"\\r\\n\" | b\"\\n\"`";
        errors.at(Code::Delimiter, tokens, text);
        return None;
    }
    Some(Ends { written, other })
}

/// The tokens between `|`.
fn alternatives(tokens: &TokenStream, errors: &mut Errors) -> Option<Vec<TokenStream>> {
    let all: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let parts = all.split(|token| marks::is_mark(token, '|'));
    let parts: Vec<TokenStream> = parts.map(|part| part.iter().cloned().collect()).collect();
    if parts.iter().any(TokenStream::is_empty) {
        errors.at(
            Code::ValueMissing,
            tokens,
            "a `|` has a value on each side; add one, or remove the `|`",
        );
        return None;
    }
    Some(parts)
}

/// The tags in `#[is(1 | 2)]`.
pub(crate) fn labels(attr: &Attribute, errors: &mut Errors) -> Option<Vec<Literal>> {
    let tokens = super::list(attr);
    if tokens.is_empty() {
        errors.at(Code::ValueMissing, attr.path(), "`is` lacks its value; write `#[is(1)]`");
        return None;
    }
    alternatives(&tokens, errors)?.iter().map(|label| literal(label, errors)).collect()
}

/// A size such as `64KiB`.
pub(crate) fn size(tokens: &TokenStream, errors: &mut Errors) -> Option<Size> {
    match literal::size(tokens) {
        Ok(size) => {
            let known = size.is_literal().then(|| size.value.to_string().parse().ok()).flatten();
            Some(Size { place: tokens.clone(), value: size.value, known })
        }
        Err((code, text)) => {
            errors.at(code, tokens, text);
            None
        }
    }
}

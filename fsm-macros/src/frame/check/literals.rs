use quote::ToTokens;

use super::super::ast::{Field, Frame, Kind, Value};
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// A literal fits its field.
pub(super) fn check(frame: &Frame, field: &Field, errors: &mut Errors) {
    let Some(is) = &field.is else { return };
    if field.optional || field.when.is_some() {
        let name = &field.name;
        let remedy = if frame.line.is_some() {
            "write `bool`, which says whether the word is there"
        } else {
            "declare it and what follows it as a frame of its own"
        };
        let text = format!("`{name}` is always the same, and not always there; {remedy}");
        errors.at(Code::NotOptional, &is.tokens, text);
        return;
    }
    match (&field.kind, &is.value) {
        (_, Value::Path) => {}
        (Kind::Int(int), Value::Int(value)) if *value > int.largest() => {
            let text = format!(
                "a `{}` is at most {}; give `{}` a wider type",
                written(field),
                int.largest(),
                field.name
            );
            errors.at(Code::OtherLiteral, &is.tokens, text);
        }
        (Kind::Int(int), Value::Bytes(bytes)) => {
            let len = bytes.len();
            let remedy = if len == int.width {
                format!("write `[u8; {len}]` for the type")
            } else {
                "write a number".to_owned()
            };
            errors.at(
                Code::OtherLiteral,
                &is.tokens,
                format_args!("an integer is a number; {remedy}"),
            );
        }
        (Kind::Array(_), Value::Int(_)) => {
            let text = "an array is bytes; write `b\"..\"`";
            errors.at(Code::OtherLiteral, &is.tokens, text);
        }
        (Kind::Array(len), Value::Bytes(bytes)) => {
            let known: Option<usize> = len.to_string().parse().ok();
            if let Some(known) = known.filter(|known| *known != bytes.len()) {
                let len = bytes.len();
                let text = format!(
                    "these are {len} bytes, and the array has {known}; write `[u8; {len}]`"
                );
                errors.at(Code::OtherLiteral, &is.tokens, text);
            }
        }
        (Kind::Varint { .. } | Kind::Digits { .. }, _) if frame.line.is_none() => {
            let text = "a number whose length varies has no fixed value; compare it in the handler";
            errors.at(Code::OtherLiteral, &is.tokens, text);
        }
        _ => {}
    }
}

fn written(field: &Field) -> String {
    spelling::tokens(&field.ty.to_token_stream())
}

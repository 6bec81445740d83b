//! The findings about a frame that takes more than one attribute to see.

mod cases;
mod expressions;
mod line;
mod literals;

use std::collections::HashMap;

use quote::ToTokens;

use super::ast::{Case, Frame, Kind};
use super::roles;
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// The largest number of positions that a decoder keeps of an incomplete frame, 4 bytes each.
const POSITIONS: usize = 4;

pub(crate) fn check(frame: &Frame, errors: &mut Errors) {
    if frame.in_doubt {
        return;
    }
    names(frame, errors);
    cases::check(frame, errors);
    for case in &frame.cases {
        expressions::check(case, errors);
        if frame.line.is_some() {
            line::check(frame, case, errors);
        } else {
            layout(frame, case, errors);
        }
        for field in &case.fields {
            literals::check(frame, field, errors);
        }
    }
    error_names(frame, errors);
}

/// The names of the item, of its decoder and of its errors are different.
fn names(frame: &Frame, errors: &mut Errors) {
    let (name, decoder) = (&frame.name, &frame.decoder);
    if name == decoder || *name == format!("{decoder}Error") {
        let text =
            format!("the decoder needs a name of its own, such as `{name}s` for a frame `{name}`");
        errors.at(Code::NameTaken, decoder, text);
    }
}

/// The rules for a frame that is no line.
fn layout(frame: &Frame, case: &Case, errors: &mut Errors) {
    if case.fields.is_empty() && !frame.is_enum && frame.odd.is_none() {
        let text = format!("a frame has at least one byte; give `{}` a field", case.name);
        errors.at(Code::EmptyFrame, &case.name, text);
    }
    let mut in_part = None;
    let mut positions = 0;
    for (at, field) in case.fields.iter().enumerate() {
        let name = &field.name;
        if field.part.is_some() {
            if let Some(first) = in_part {
                let text = format!(
                    "`{first}` begins the part that goes on to the end; declare what is in an inner part \
                     as a frame of its own"
                );
                errors.at(Code::TwoLayouts, name, text);
            }
            in_part = Some(name);
        }
        match (&field.when, field.optional) {
            _ if field.unread.is_some() => {}
            (None, true) => {
                let text = format!(
                    "nothing says when `{name}` is there; write `#[when(flags & 1 != 0)]` over it"
                );
                errors.at(Code::NotOptional, &field.ty, text);
            }
            (Some(_), false) => {
                let ty = spelling::tokens(&field.ty.to_token_stream());
                let text = format!("`{name}` is not always there; write `Option<{ty}>`");
                errors.at(Code::NotOptional, &field.ty, text);
            }
            _ => {}
        }
        if let Some(attr) = &field.open_digits {
            if !case.ends_digits(at) {
                let kind = spelling::tokens(&attr.to_token_stream());
                let text = format!(
                    "nothing ends the digits; write `#[{kind}(then = b\"\\r\\n\")]`, or let an `until` \
                     follow them, or bytes that are no digits"
                );
                errors.at(Code::NoLength, attr, text);
            }
        }
        let is_last = at + 1 == case.fields.len();
        let is_rest = matches!(field.kind, Kind::Rest { .. } | Kind::Times { counted: None, .. });
        if is_rest && !is_last {
            let text = format!(
                "`{name}` takes all that is left, so nothing can follow it; move it to the end, or give it \
                 a length"
            );
            errors.at(Code::NotLast, name, text);
        }
        if in_part.is_none() {
            positions += match field.kind {
                Kind::Until { .. } => 1,
                Kind::Times { counted: Some(_), .. } => 2,
                _ => 0,
            };
        }
        if positions > POSITIONS {
            let text = format!(
                "a decoder remembers at most {POSITIONS} positions of an incomplete frame, one for each \
                 `until` and two for each `times`; declare the rest as another frame"
            );
            errors.at(Code::TooMuchProgress, name, text);
            break;
        }
    }
}

/// The variants of the error are different.
fn error_names(frame: &Frame, errors: &mut Errors) {
    let mut seen: HashMap<String, String> = HashMap::new();
    for field in frame.cases.iter().flat_map(|case| &case.fields) {
        let Some(variant) = roles::error_variant(field) else { continue };
        let name = variant.to_string();
        if roles::ERRORS.contains(&name.as_str()) {
            let text =
                format!("`{name}` is an error of all frames; give `{}` another name", field.name);
            errors.at(Code::NameTaken, &field.name, text);
            continue;
        }
        let what = match field.kind {
            Kind::Nested | Kind::Tagged(_) | Kind::Times { .. } => {
                spelling::tokens(&field.ty.to_token_stream())
            }
            _ => "a literal".to_owned(),
        };
        match seen.get(&name) {
            Some(other) if *other != what => {
                let text = format!(
                    "another field makes an error `{name}`, which is {other}; give `{}` another name",
                    field.name
                );
                errors.at(Code::NameTaken, &field.name, text);
            }
            Some(_) => {}
            None => {
                seen.insert(name, what);
            }
        }
    }
}

#[cfg(test)]
mod tests;

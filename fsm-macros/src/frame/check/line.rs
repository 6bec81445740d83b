use super::super::ast::{Case, Field, Kind};
use crate::code::Code;
use crate::errors::Errors;

/// The rules for the fields of a line and of the bytes behind it.
pub(crate) fn check(case: &Case, errors: &mut Errors) {
    let mut before: Option<&Field> = None;
    for field in &case.fields {
        let name = &field.name;
        match &field.kind {
            Kind::Bytes { .. } | Kind::Unknown | Kind::Tag(_) => {
                behind(field, errors);
                before = Some(field);
                continue;
            }
            Kind::Word { .. }
            | Kind::Digits { .. }
            | Kind::Flag
            | Kind::Words
            | Kind::Rest { .. } => {}
            _ => {
                let text = format!(
                    "a line has words, numbers in digits and texts, and counted bytes behind it; declare `{name}` \
                     as a part of another frame"
                );
                errors.at(Code::NotInLines, &field.ty, text);
                continue;
            }
        }
        if let Some(when) = &field.when {
            let text = format!(
                "a word is there or not, which no condition says; remove `#[when({when})]`"
            );
            errors.at(Code::NotInLines, when, text);
        }
        if let Some(part) = &field.part {
            let text = "a line ends where its delimiter is; remove `part`";
            errors.at(Code::NotInLines, &part.len, text);
        }
        if let Some(last) = before {
            let first = &last.name;
            if matches!(last.kind, Kind::Bytes { .. }) {
                let text = format!("`{first}` comes behind the line; move `{name}` before it");
                errors.at(Code::NotLast, name, text);
            } else if matches!(last.kind, Kind::Rest { .. } | Kind::Words) {
                let text = format!("`{first}` takes the rest of the line; move `{name}` before it");
                errors.at(Code::NotLast, name, text);
            } else if last.optional && !field.optional && !is_open(field) {
                let text = format!(
                    "`{first}` may be missing, and then `{name}` would be taken for it; write `Option` \
                     here, too, or move `{name}` before it"
                );
                errors.at(Code::NotLast, name, text);
            }
        }
        before = Some(field);
    }
}

/// Whether it may be nothing.
fn is_open(field: &Field) -> bool {
    matches!(field.kind, Kind::Flag | Kind::Words)
}

fn behind(field: &Field, errors: &mut Errors) {
    if field.optional && field.when.is_none() && field.unread.is_none() {
        let name = &field.name;
        let text = format!("nothing says when `{name}` is there; write `#[when(len > 0)]` over it");
        errors.at(Code::NotOptional, &field.ty, text);
    }
}

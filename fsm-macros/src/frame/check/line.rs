use super::super::ast::{Case, Field, Frame, Kind, Labels, Line, Value};
use super::super::roles::is_digit;
use crate::code::Code;
use crate::errors::Errors;

/// The rules for the fields of a line and of the bytes behind it.
pub(crate) fn check(frame: &Frame, case: &Case, errors: &mut Errors) {
    if let Some(line) = &frame.line {
        words(frame, line, case, errors);
    }
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

/// The decoder reads the written line as the same words.
fn words(frame: &Frame, line: &Line, case: &Case, errors: &mut Errors) {
    let fields = case.words();
    for (at, field) in fields.iter().enumerate() {
        let name = &field.name;
        let digit = line.ends.all().find(|end| end.begins_with(|first| is_digit_of(field, first)));
        if let Some(end) = digit {
            let text =
                format!("`{name}` is a number, and what ends its line cannot begin with a digit");
            errors.at(Code::Delimiter, &end.tokens, text);
        }
        let Some(is) = &field.is else { continue };
        let text = match &is.value {
            Value::Path => "a word that is always the same is a text; write `\"noreply\"`",
            Value::Bytes(bytes) if bytes.is_empty() || bytes.contains(&b' ') => {
                "a word has a byte, and no space; declare each word as a field"
            }
            value if line.ends.end_in(&value.word()) => {
                "the line ends within this word; write another end, or another word"
            }
            value => {
                if matches!(field.kind, Kind::Flag) && may_be_number(value, &fields[at + 1..]) {
                    let text =
                        "a number behind it may be the same word; write a word that is no number";
                    errors.at(Code::OtherLiteral, &is.tokens, text);
                }
                continue;
            }
        };
        errors.at(Code::OtherLiteral, &is.tokens, text);
    }
    let labels = frame.cases.iter().filter_map(|case| match &case.labels {
        Labels::Are(labels) => Some(labels),
        _ => None,
    });
    let label = labels.flatten().find(|label| may_be_number(&label.value, fields));
    if let (Labels::Other, Some(label)) = (&case.labels, label) {
        let name = &case.name;
        let text =
            format!("a number in `{name}` may be the same word; write a word that is no number");
        errors.at(Code::OtherLiteral, &label.tokens, text);
    }
}

/// Whether the field is a number that may have this byte.
fn is_digit_of(field: &Field, byte: u8) -> bool {
    match &field.kind {
        Kind::Digits { int, hex } => is_digit(*hex, byte) || (int.signed && byte == b'-'),
        _ => false,
    }
}

/// Whether the first word of the fields may be a number that is written as this word.
fn may_be_number(word: &Value, fields: &[Field]) -> bool {
    let may_miss = |field: &Field| field.optional || is_open(field);
    let firsts = fields.iter().position(|field| !may_miss(field)).map_or(fields.len(), |at| at + 1);
    let is_of = |field: &Field| match word {
        Value::Int(_) => matches!(field.kind, Kind::Digits { .. }),
        Value::Bytes(bytes) => bytes.iter().all(|byte| is_digit_of(field, *byte)),
        Value::Path => false,
    };
    fields[..firsts].iter().any(is_of)
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

use std::collections::HashMap;

use super::super::ast::{Case, Frame, Int, Kind, Labels, Literal, Value};
use crate::code::Code;
use crate::errors::Errors;

/// Each case has its tags, and no two have the same.
pub(crate) fn check(frame: &Frame, errors: &mut Errors) {
    if frame.is_enum && frame.tag.is_none() && frame.line.is_none() {
        let text = "nothing says which variant a frame is; add `tag = u8`, or \
                    `line = b\"\\r\\n\", max = 1KiB` for text";
        errors.at(Code::NoTag, &frame.decoder, text);
    }
    if frame.is_enum && frame.cases.is_empty() {
        let text = format!("a frame has at least one case; give `{}` a variant", frame.name);
        errors.at(Code::EmptyFrame, &frame.name, text);
    }
    let mut seen: HashMap<Vec<u8>, String> = HashMap::new();
    let mut other = None;
    for case in &frame.cases {
        match &case.labels {
            Labels::Struct => {}
            Labels::Other => {
                if let Some(other) = &other {
                    let text = format!("`{other}` takes all other frames; write `#[is(..)]` here");
                    errors.at(Code::SameCase, &case.name, text);
                }
                other = Some(case.name.clone());
            }
            Labels::Are(labels) => {
                if let (Some(_), [_, second, ..]) = (&frame.line, &labels[..]) {
                    let name = &case.name;
                    let text = format!(
                        "`{name}` is for several first words and does not keep which; write one variant for each word"
                    );
                    errors.at(Code::NoTag, &second.tokens, text);
                }
                for label in labels {
                    let Some(key) = key(frame, label, errors) else { continue };
                    if let Some(first) = seen.get(&key) {
                        let name = &case.name;
                        let text =
                            format!("`{first}` takes these frames; give `{name}` another tag");
                        errors.at(Code::SameCase, &label.tokens, text);
                    } else {
                        seen.insert(key, case.name.to_string());
                    }
                }
            }
        }
        if let Some(tag) = &frame.tag {
            kept_tag(case, tag, errors);
        }
    }
}

/// The value by which a label differs from the others; `None` if the macro does not see it.
fn key(frame: &Frame, label: &Literal, errors: &mut Errors) -> Option<Vec<u8>> {
    let text = match (&label.value, &frame.tag, &frame.line) {
        (Value::Int(value), Some(tag), _) if *value <= tag.largest() => {
            return Some(tag.bytes(*value));
        }
        (Value::Int(_), Some(tag), _) => {
            let name = if tag.width == 3 { "u24".to_owned() } else { tag.rust.to_string() };
            let wider = match tag.width {
                1 => "tag = u16",
                2 => "tag = u32",
                _ => "tag = u64",
            };
            format!("a tag that is a `{name}` is at most {}; write `{wider}`", tag.largest())
        }
        (Value::Bytes(bytes), Some(tag), _) if bytes.len() == 1 && tag.width == 1 => {
            format!("the tag is an integer; write `b'{}'`", bytes.escape_ascii())
        }
        (Value::Bytes(_), Some(_), _) => {
            "the tag is an integer; write a number, or a byte such as `b'Q'`".to_owned()
        }
        (Value::Bytes(bytes), None, Some(_)) if bytes.is_empty() || bytes.contains(&b' ') => {
            "the first word of a line has no space; declare the rest as fields".to_owned()
        }
        (Value::Bytes(bytes), None, Some(line)) if line.ends.end_in(bytes) => {
            "the line ends within this word; write another end, or another word".to_owned()
        }
        (Value::Bytes(bytes), None, Some(line)) => {
            return Some(if line.ignore_case { bytes.to_ascii_lowercase() } else { bytes.clone() });
        }
        (Value::Int(_) | Value::Path, None, Some(_)) => {
            "the first word of a line is a text; write `\"get\"`".to_owned()
        }
        _ => return None,
    };
    errors.at(Code::OtherLiteral, &label.tokens, text);
    None
}

/// A variant for several tags has a field for the tag.
fn kept_tag(case: &Case, tag: &Int, errors: &mut Errors) {
    let kept = case.fields.iter().find(|field| matches!(field.kind, Kind::Tag(_)));
    let several = match &case.labels {
        // There is a finding about it.
        Labels::Are(labels) if labels.is_empty() => return,
        Labels::Are(labels) => labels.len() > 1,
        Labels::Other => true,
        Labels::Struct => return,
    };
    let (name, rust) = (&case.name, &tag.rust);
    match kept {
        None if several => {
            let text = format!(
                "`{name}` is for several tags and does not keep which; add `#[tag] tag: {rust}` to it"
            );
            errors.at(Code::NoTag, name, text);
        }
        Some(field) if !several => {
            let text = format!("`{name}` has one tag, which need not be kept; remove this field");
            errors.at(Code::NoTag, &field.name, text);
        }
        Some(field) => {
            let same = matches!(&field.kind, Kind::Tag(int) if int.rust == tag.rust);
            if !same {
                let text = format!("the tag is a `{rust}`; write `{rust}`");
                errors.at(Code::FieldType, &field.ty, text);
            }
        }
        None => {}
    }
}

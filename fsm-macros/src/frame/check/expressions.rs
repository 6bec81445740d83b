use proc_macro2::Ident;

use super::super::ast::{Case, Counted, Field, Kind};
use super::super::roles::{self, Length};
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// Expressions name integers that were sent before, and lengths can be as large as their bounds.
pub(crate) fn check(case: &Case, errors: &mut Errors) {
    for (at, field) in case.fields.iter().enumerate() {
        for expression in field.expressions() {
            for name in roles::names(expression) {
                self::name(case, at, &name, errors);
            }
        }
        for counted in field.counts() {
            width(case, counted, errors);
        }
    }
}

/// Adds a finding unless `name` is an integer before the field of that position.
fn name(case: &Case, at: usize, name: &Ident, errors: &mut Errors) {
    let (before, user) = (&case.fields[..at], &case.fields[at].name);
    let Some(field) = before.iter().find(|field| field.name == *name) else {
        if user == name {
            let text = format!("`{name}` is not known before it is read; use a field before it");
            errors.at(Code::LengthAfter, name, text);
        } else if case.fields[at..].iter().any(|field| field.name == *name) {
            let text = format!("`{name}` comes after `{user}`; move it before that");
            errors.at(Code::LengthAfter, name, text);
        } else {
            let remedy = instead(before, user, name);
            let text = format!("no field `{name}` comes before this; {remedy}");
            errors.at(Code::NotAField, name, text);
        }
        return;
    };
    match &field.kind {
        Kind::Unknown => {}
        Kind::Array(len) => {
            let remedy = match len.to_string().as_str() {
                "1" => "u8",
                "2" => "u16",
                "3" => "u24",
                "4" => "u32",
                _ => "u64",
            };
            let text = format!("`{name}` is bytes and no number; declare it as `{remedy}`");
            errors.at(Code::NotAField, &field.ty, text);
        }
        Kind::Nested | Kind::Tagged(_) => {
            let text = format!(
                "the fields of `{name}` are not known here; declare them in this frame, in place of `{name}`"
            );
            errors.at(Code::NotAField, &field.ty, text);
        }
        kind if kind.int().is_none() => {
            let text = format!(
                "`{name}` is no integer; write `{name}: u32`, with `#[decimal(then = b\"..\")]` if it is \
                 sent in digits"
            );
            errors.at(Code::NotAField, &field.ty, text);
        }
        _ if field.optional => {
            let text = format!(
                "`{name}` is not always there; declare it and what needs it as a frame of their own"
            );
            errors.at(Code::NotOptional, name, text);
        }
        _ => {}
    }
}

/// The text to write for a name that no field before `user` has.
fn instead(before: &[Field], user: &Ident, name: &Ident) -> String {
    let numbers = before.iter().filter(|field| field.kind.int().is_some() && !field.optional);
    let known: Vec<String> = numbers.map(|field| field.name.to_string()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    match (spelling::nearest(&name.to_string(), &known), &known[..]) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => format!("add `{name}: u32` before `{user}`"),
        (None, known) => format!("the integers before it are {}", spelling::list(known)),
    }
}

/// A length field can hold the bound of what it counts.
fn width(case: &Case, counted: &Counted, errors: &mut Errors) {
    let Length::Of { field: name, inverse } = roles::length(&counted.len) else { return };
    let Some(field) = case.fields.iter().find(|field| field.name == name) else { return };
    let largest = match &field.kind {
        Kind::Varint { int, bytes, .. } => int.largest().min(roles::largest_varint(*bytes)),
        kind => match kind.int() {
            Some(int) => int.largest(),
            None => return,
        },
    };
    let Some(max) = counted.max.known else { return };
    let needed = inverse.of(max);
    if needed.is_none_or(|needed| needed > largest) {
        let most = inverse.most(largest);
        let wider = match needed {
            Some(needed) if needed >> 16 == 0 => "u16",
            Some(needed) if needed >> 24 == 0 => "u24",
            Some(needed) if needed >> 32 == 0 => "u32",
            _ => "u64",
        };
        let text = match &field.kind {
            Kind::Varint { bytes, .. } if roles::largest_varint(*bytes) == largest => {
                format!("`{name}` says at most {most}; write `<= {most}`, or give it more bytes")
            }
            _ => format!("`{name}` says at most {most}; write `<= {most}`, or `{name}: {wider}`"),
        };
        errors.at(Code::TooWide, &counted.max.place, text);
    }
}

use proc_macro2::TokenStream;

use super::super::super::ast::{Case, Field, Frame, Int, Kind, Labels, Line};
use super::super::names::{bytes, text, word_literal};
use super::digits::{digits, digits_len};
use super::{Following, as_bytes, each, put};

/// The first word of a case.
fn tag(case: &Case) -> Option<TokenStream> {
    match &case.labels {
        Labels::Are(labels) => labels.first().map(bytes),
        _ => None,
    }
}

/// The value of a number in the line, as an `u64` or an `i64`.
fn number(
    frame: &Frame,
    case: &Case,
    field: &Field,
    int: &Int,
    value: &TokenStream,
) -> TokenStream {
    match case.follows(frame, field) {
        Some(Following::Length(value)) if int.signed => {
            generated!((#value.unwrap_or_default() as i64))
        }
        Some(Following::Length(value)) => generated!(#value.unwrap_or_default()),
        _ => super::wide(int, value),
    }
}

/// The kind of item that precedes a word in its line.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// Flags, of which none may be set. A local `is_first` says whether that is so.
    Flags,
    Word,
}

impl Before {
    fn of(case: &Case, at: usize) -> Self {
        let flags = case.words()[..at].iter().all(|field| matches!(field.kind, Kind::Flag));
        match (tag(case), at) {
            (None, 0) => Self::Nothing,
            (None, _) if flags => Self::Flags,
            _ => Self::Word,
        }
    }
}

/// Binds `is_first` where a flag has a word behind it that may be the first one.
fn is_first(case: &Case, at: usize) -> Option<TokenStream> {
    let Before::Flags = Before::of(case, at) else { return None };
    let flags = case.words()[..at].iter().map(|field| &field.name);
    Some(generated!(let is_first = !(#(*#flags)||*);))
}

/// The code for a word, with the space before it.
fn word(
    field: &Field,
    before: Before,
    space: &TokenStream,
    code: impl FnOnce(&TokenStream) -> TokenStream,
) -> TokenStream {
    let name = &field.name;
    let space = match before {
        Before::Nothing => None,
        Before::Word => Some(space.clone()),
        Before::Flags => Some(generated!(if !is_first { #space })),
    };
    match &field.kind {
        Kind::Flag => {
            let code = code(&generated!(#name));
            generated!(if *#name { #space #code })
        }
        Kind::Words => {
            let code = code(&generated!(words));
            generated!(if let __Some(words) = #name.as_bytes() { #space #code })
        }
        _ => each(field, |value| {
            let code = code(value);
            generated!(#space #code)
        }),
    }
}

/// The number of bytes of a line and of what is behind it.
pub(crate) fn len(frame: &Frame, case: &Case, line: &Line) -> TokenStream {
    let own = line_len(frame, case);
    let end = line.ends.written.value.bytes().map_or(0, <[u8]>::len);
    let behind =
        case.fields[case.words().len()..].iter().map(|field| put::field_len(frame, case, field));
    generated!(({ #own len } + #end #(+ #behind)*))
}

/// Binds `len` to the length of the line without its end.
fn line_len(frame: &Frame, case: &Case) -> TokenStream {
    let tag = tag(case);
    let tag = tag.map(|tag| generated!(len += #tag.len();));
    let words = case.words().iter().enumerate().map(|(at, field)| {
        let word = word(field, Before::of(case, at), &generated!(len += 1;), |value| {
            let len = match &field.kind {
                _ if field.is.is_some() => {
                    let is = word_literal(field);
                    generated!(#is.len())
                }
                Kind::Digits { int, hex } => {
                    digits_len(int, *hex, &number(frame, case, field, int, value))
                }
                _ => generated!(#value.len()),
            };
            generated!(len += #len;)
        });
        let is_first = is_first(case, at);
        generated!(#is_first #word)
    });
    generated! {
        let mut len = 0_usize;
        #tag
        #(#words)*
    }
}

/// Each word is one, and the line is within its bound.
pub(crate) fn check(frame: &Frame, case: &Case, line: &Line) -> TokenStream {
    let (error, max) = (frame.error(), &line.max.value);
    let words = case.words().iter().map(|field| {
        let text = text(&field.name);
        let ends = generated!(return __Err(#error::Contains { field: #text }));
        match &field.kind {
            _ if field.is.is_some() => TokenStream::new(),
            Kind::Word { .. } => each(field, |value| {
                let bytes = as_bytes(field, value);
                let ends_early = ends_early(line, &bytes);
                generated! {
                    if #value.is_empty() {
                        return __Err(#error::Missing { field: #text });
                    }
                    if !__parts::is_word(#bytes) || #ends_early {
                        #ends;
                    }
                }
            }),
            Kind::Rest { .. } => each(field, |value| {
                let ends_early = ends_early(line, &as_bytes(field, value));
                generated!(if #ends_early { #ends; })
            }),
            Kind::Words => {
                let name = &field.name;
                let ends_early =
                    ends_early(line, &generated!(#name.as_bytes().unwrap_or_default()));
                generated!(if #ends_early { #ends; })
            }
            _ => TokenStream::new(),
        }
    });
    let other = other(frame, case);
    let missing = missing(frame, case);
    let len = line_len(frame, case);
    // An empty line has one word, which is empty and no more than the rest of a line.
    let empty = case.words().first().filter(|first| tag(case).is_none() && may_miss(first));
    let empty = empty.map(|first| {
        let (there, text) = (case.words().iter().map(is_there), text(&first.name));
        generated! {
            if len == 0 && !(#(#there)||*) {
                return __Err(#error::Missing { field: #text });
            }
        }
    });
    generated! {
        #(#words)*
        #other
        #missing
        #len
        #empty
        if len > #max {
            return __Err(#error::TooLong { field: "line", len: len as u64, max: (#max) as u64 });
        }
    }
}

/// Whether the line would end before the end of these bytes.
fn ends_early(line: &Line, bytes: &TokenStream) -> TokenStream {
    let end = self::bytes(line.ends.last());
    generated!(__parts::ends_early(#bytes, #end))
}

/// Whether a word may be missing.
fn may_miss(field: &Field) -> bool {
    field.optional || matches!(field.kind, Kind::Flag | Kind::Words)
}

/// The item after a missing word is not taken for that word: nothing follows an optional one, and behind a
/// flag is not its word.
fn missing(frame: &Frame, case: &Case) -> TokenStream {
    let (error, words) = (frame.error(), case.words());
    let checks =
        words.iter().enumerate().filter(|(_, field)| may_miss(field)).map(|(at, field)| {
            let (name, after) = (&field.name, &words[at + 1..]);
            if matches!(field.kind, Kind::Flag) {
                let (is, text) = (word_literal(field), text(name));
                let next = after.iter().map(first_word);
                return (!after.is_empty()).then(|| {
                    generated! {
                        if !*#name {
                            let next: ::core::option::Option<&[u8]> = __None;
                            #(let next = next.or(#next);)*
                            if next.is_some_and(|word| word == #is) {
                                return __Err(#error::Disagrees { field: #text });
                            }
                        }
                    }
                });
            }
            let later = after.iter().map(|field| {
                let (there, text) = (is_there(field), text(&field.name));
                generated!(if #there { return __Err(#error::Disagrees { field: #text }); })
            });
            (!after.is_empty()).then(|| generated!(if #name.is_none() { #(#later)* }))
        });
    checks.flatten().collect()
}

/// Whether the field has a word in the line.
fn is_there(field: &Field) -> TokenStream {
    let name = &field.name;
    match &field.kind {
        Kind::Flag => generated!(*#name),
        Kind::Words => generated!(#name.as_bytes().is_some()),
        _ if field.optional => generated!(#name.is_some()),
        _ => generated!(true),
    }
}

/// The first word of the field, if it has one. That of a number is empty here, because it is no flag's.
fn first_word(field: &Field) -> TokenStream {
    let name = &field.name;
    let word = |value: &TokenStream| match &field.kind {
        Kind::Rest { .. } => {
            let bytes = as_bytes(field, value);
            generated!(::core::iter::Iterator::next(&mut __rt::Words::of_line(#bytes)))
        }
        Kind::Word { .. } if field.is.is_none() => {
            let bytes = as_bytes(field, value);
            generated!({ let word: &[u8] = #bytes; __Some(word) })
        }
        Kind::Digits { .. } => generated!({
            let word: &[u8] = b"";
            __Some(word)
        }),
        _ => {
            let is = word_literal(field);
            generated!({ let word: &[u8] = #is; __Some(word) })
        }
    };
    match &field.kind {
        Kind::Flag => {
            let word = word(&generated!(#name));
            generated!((if *#name { #word } else { __None }))
        }
        Kind::Words => {
            generated!({ let mut words = ::core::clone::Clone::clone(#name); ::core::iter::Iterator::next(&mut words) })
        }
        _ if field.optional => {
            let value = generated!(value);
            let word = word(&value);
            generated!((match #name { __Some(value) => #word, __None => __None }))
        }
        _ => word(&generated!(#name)),
    }
}

/// A line of the case for all others does not begin with the first word of another case.
fn other(frame: &Frame, case: &Case) -> Option<TokenStream> {
    let Labels::Other = case.labels else { return None };
    let error = frame.error();
    let ignore_case = frame.line.as_ref().is_some_and(|line| line.ignore_case);
    let labels = frame.cases.iter().filter_map(|case| match &case.labels {
        Labels::Are(labels) => Some(labels.iter().map(bytes)),
        _ => None,
    });
    let same = labels.flatten().map(|label| {
        if ignore_case {
            generated!(word.eq_ignore_ascii_case(#label))
        } else {
            generated!(word == #label)
        }
    });
    let same: Vec<TokenStream> = same.collect();
    // Those in front of it may be missing.
    let words = case.words();
    let first = words.iter().position(|field| !may_miss(field)).map_or(words.len(), |at| at + 1);
    let firsts = words[..first].iter().map(first_word);
    (!same.is_empty() && first > 0).then(|| {
        generated! {
            let first: ::core::option::Option<&[u8]> = __None;
            #(let first = first.or(#firsts);)*
            if first.is_some_and(|word| #(#same)||*) {
                return __Err(#error::Tag);
            }
        }
    })
}

/// Writes a line and what is behind it.
pub(crate) fn put(frame: &Frame, case: &Case, line: &Line) -> TokenStream {
    let end = bytes(&line.ends.written);
    let tag = tag(case);
    let tag = tag.map(|tag| generated!(__rt::Output::put(out, #tag);));
    let words = case.words().iter().enumerate().map(|(at, field)| {
        let space = generated!(__rt::Output::put(out, b" "););
        let word = word(field, Before::of(case, at), &space, |value| match &field.kind {
            _ if field.is.is_some() => {
                let is = word_literal(field);
                generated!(__rt::Output::put(out, #is);)
            }
            Kind::Digits { int, hex } => digits(int, *hex, &number(frame, case, field, int, value)),
            _ => {
                let bytes = as_bytes(field, value);
                generated!(__rt::Output::put(out, #bytes);)
            }
        });
        let is_first = is_first(case, at);
        generated!(#is_first #word)
    });
    let behind =
        case.fields[case.words().len()..].iter().map(|field| put::field(frame, case, field));
    generated! {
        #tag
        #(#words)*
        __rt::Output::put(out, #end);
        #(#behind)*
    }
}

//! The words of an inline command, a line of text instead of an array.

use std::borrow::Cow;

use crate::request::{Spans, span};

/// Whether C's `isspace` holds, which unlike Rust's function includes the vertical tab.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'\x0b'
}

/// Whether the byte ends a word outside of quotes; two kinds of space do not.
fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0)
}

/// Splits a line into words as Redis does; `None` if a quote is not closed.
pub(crate) fn split(line: &[u8]) -> Option<(Cow<'_, [u8]>, Spans)> {
    let mut spans = Spans::new();
    let quoted = line.iter().any(|byte| matches!(byte, b'"' | b'\''));
    let (mut text, mut at) = (Vec::new(), 0);
    loop {
        at += line[at..].iter().take_while(|byte| is_space(**byte)).count();
        if matches!(line.get(at), None | Some(0)) {
            break;
        }
        if quoted {
            let start = text.len();
            at = line.len() - word(&line[at..], &mut text)?.len();
            spans.push(span(start, text.len()));
        } else {
            let len = line[at..].iter().take_while(|byte| !ends_word(**byte)).count();
            spans.push(span(at, at + len));
            at += len;
        }
    }
    Some((if quoted { text.into() } else { line.into() }, spans))
}

/// Appends the first word of `rest` to `text`; returns what follows it.
fn word<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut quote = None;
    while let Some((&byte, after)) = rest.split_first() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, _) if ends_word(byte) => return Some(rest),
            (Some(open), _) if open == byte => {
                let ends = after.first().is_none_or(|next| is_space(*next) || *next == 0);
                return ends.then_some(after);
            }
            (Some(_), 0) => return None,
            (Some(b'"'), b'\\') if !after.is_empty() => {
                rest = after;
                text.push(unescape(&mut rest)?);
                continue;
            }
            (Some(b'\''), b'\\') if after.starts_with(b"'") => {
                text.push(b'\'');
                rest = &after[1..];
                continue;
            }
            _ => text.push(byte),
        }
        rest = after;
    }
    if quote.is_some() { None } else { Some(rest) }
}

/// The byte of an escape sequence between double quotes, whose text after the backslash is `rest`.
fn unescape(rest: &mut &[u8]) -> Option<u8> {
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(match (byte, after) {
        (b'x', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
            *rest = after;
            hex(*high)? << 4 | hex(*low)?
        }
        (b'n', _) => b'\n',
        (b'r', _) => b'\r',
        (b't', _) => b'\t',
        (b'b', _) => 8,
        (b'a', _) => 7,
        _ => byte,
    })
}

//! Range requests.

use std::fmt;

use super::tag::Tag;
use super::{Head, Method};

/// The part of a document to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All of it, with status 200.
    Whole,
    /// A part of it, with status 206 and the part as `Content-Range`.
    Part(Part),
    /// Nothing, with status 416 and this as `Content-Range`: the range lies behind the end.
    Unsatisfiable(Unsatisfiable),
}

/// A part of a document, and the length of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) first: u64,
    pub(crate) last: u64,
    of: u64,
}

/// The `Content-Range` of an unsatisfiable range of a document of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsatisfiable(u64);

/// The range that a request asks for, not yet compared with the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    range: Option<Box<[u8]>>,
    /// The only version of the document that the range applies to.
    only: Option<Box<[u8]>>,
}

impl Range {
    pub(crate) fn of(head: &Head<'_>) -> Self {
        let range = head.fields.single("range").ok().flatten();
        let range = range.filter(|_| head.method == Method::Get).map(Into::into);
        match head.fields.single("if-range") {
            Ok(only) => Self { range, only: only.map(Into::into) },
            Err(_) => Self::default(),
        }
    }

    /// Selects the part of a document of `len` bytes with the strong tag `etag`.
    ///
    /// It selects the whole document for a malformed range, for several ranges, and for a range of
    /// another version (`If-Range`), as RFC 9110 allows or demands.
    pub(crate) fn select(&self, len: u64, etag: &str) -> Selection {
        let is_current = match &self.only {
            None => true,
            // A date never matches, because its resolution is too low to join two parts safely.
            Some(tag) => {
                matches!(Tag::parse(tag), Some((tag, rest)) if rest.is_empty() && tag.is(etag))
            }
        };
        let range = self.range.as_deref().filter(|_| is_current);
        range.and_then(|range| parse(range, len)).unwrap_or(Selection::Whole)
    }
}

fn parse(range: &[u8], len: u64) -> Option<Selection> {
    let range = std::str::from_utf8(range).ok()?;
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim_matches([' ', '\t']).split_once('-')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let end = len.saturating_sub(1);
    let (first, last) = match (first, last) {
        // A suffix is satisfiable if it is not empty, and the answer has no way to name the part of nothing.
        ("", suffix) if len == 0 && number(suffix)? > 0 => return None,
        ("", suffix) => (len.saturating_sub(number(suffix)?), end),
        (first, "") => (number(first)?, end),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            (first, last.min(end))
        }
    };
    Some(if first < len {
        Selection::Part(Part { first, last, of: len })
    } else {
        Selection::Unsatisfiable(Unsatisfiable(len))
    })
}

/// Parses digits; a number that is too large becomes the maximum.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

impl Part {
    pub(crate) fn len(&self) -> u64 {
        self.last - self.first + 1
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {}-{}/{}", self.first, self.last, self.of)
    }
}

impl fmt::Display for Unsatisfiable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes */{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head::tests::with_head;

    fn selected(method: &str, fields: &str, len: u64) -> String {
        let request = format!("{method} /docs/a HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
        with_head(&request, |head| match Range::of(&head).select(len, "5ha2") {
            Selection::Whole => "whole".to_owned(),
            Selection::Part(part) => format!("{part}, {}", part.len()),
            Selection::Unsatisfiable(none) => none.to_string(),
        })
    }

    #[test]
    fn a_range_selects_a_part() {
        for (range, part) in [
            ("0-0", "bytes 0-0/10, 1"),
            ("2-4", "bytes 2-4/10, 3"),
            ("2-", "bytes 2-9/10, 8"),
            ("-3", "bytes 7-9/10, 3"),
            ("-10", "bytes 0-9/10, 10"),
            ("-11", "bytes 0-9/10, 10"),
            ("0-99", "bytes 0-9/10, 10"),
            ("9-99999999999999999999999", "bytes 9-9/10, 1"),
            (" 1-2", "bytes 1-2/10, 2"),
            ("10-", "bytes */10"),
            ("10-20", "bytes */10"),
            ("99999999999999999999999-", "bytes */10"),
            ("-0", "bytes */10"),
        ] {
            assert_eq!(selected("GET", &format!("Range: bytes={range}"), 10), part, "{range}");
            assert_eq!(selected("GET", &format!("Range: Bytes={range}"), 10), part, "{range}");
            assert_eq!(selected("HEAD", &format!("Range: bytes={range}"), 10), "whole");
        }
    }

    #[test]
    fn an_empty_document_has_no_parts() {
        for (range, part) in
            [("0-", "bytes */0"), ("0-0", "bytes */0"), ("-0", "bytes */0"), ("-1", "whole")]
        {
            assert_eq!(selected("GET", &format!("Range: bytes={range}"), 0), part, "{range}");
        }
    }

    #[test]
    fn anything_but_a_single_range_is_ignored() {
        for range in
            ["", "-", "4-2", "a-b", "+1-2", "1-+2", "0-1,3-4", "1", "1-2-3", "1 -2", "0x1-2"]
        {
            assert_eq!(selected("GET", &format!("Range: bytes={range}"), 10), "whole", "{range}");
        }
        for field in ["Range: lines=1-2", "Range: 1-2", "Range: bytes=1-2\r\nRange: bytes=1-2"] {
            assert_eq!(selected("GET", field, 10), "whole", "{field}");
        }
    }

    #[test]
    fn a_range_of_another_version_is_ignored() {
        for (tag, part) in [
            ("\"5ha2\"", "bytes 1-2/10, 2"),
            ("W/\"5ha2\"", "whole"),
            ("\"other\"", "whole"),
            ("\"5ha2\", \"other\"", "whole"),
            ("Tue, 14 Nov 2023 22:13:20 GMT", "whole"),
            ("", "whole"),
        ] {
            let fields = format!("Range: bytes=1-2\r\nIf-Range: {tag}");
            assert_eq!(selected("GET", &fields, 10), part, "{tag}");
        }
    }
}

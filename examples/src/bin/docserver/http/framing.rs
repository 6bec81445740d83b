//! How a body is framed.

use super::fields::Fields;
use super::head::Version;
use super::{Refusal, Status};

/// How a body is framed: what follows the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// No body.
    None,
    /// A body of so many bytes.
    Length(u64),
    /// A body in chunks, each with its length before it.
    Chunked,
}

impl Framing {
    /// Whether the next request follows the head at once.
    pub(crate) fn is_empty(self) -> bool {
        matches!(self, Self::None | Self::Length(0))
    }

    /// What the fields say. Where they say two things nothing is believed.
    pub(crate) fn parse(fields: &Fields<'_>, version: Version) -> Result<Self, Refusal> {
        let length = fields.single("content-length")?;
        if fields.values("transfer-encoding").next().is_none() {
            return length.map_or(Ok(Self::None), |digits| Ok(Self::Length(parse_length(digits)?)));
        }
        if length.is_some() {
            return Err(Refusal::bad("both a content-length and a transfer-encoding"));
        }
        if version == Version::Http10 {
            return Err(Refusal::bad("a transfer-encoding in HTTP/1.0"));
        }
        let mut codings = fields.words("transfer-encoding");
        let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
        match (codings.next(), codings.next()) {
            (Some(coding), None) if is_chunked(coding) => Ok(Self::Chunked),
            (Some(coding), Some(_)) if is_chunked(coding) => {
                Err(Refusal::bad("chunked is not the last transfer-encoding"))
            }
            (Some(_), _) => Err(Refusal::new(Status::NotImplemented, "an unknown coding")),
            (None, _) => Err(Refusal::bad("an empty transfer-encoding")),
        }
    }
}

/// Reads digits, and nothing else: `str::parse` takes a `+` as well.
fn parse_length(digits: &[u8]) -> Result<u64, Refusal> {
    let bad = Refusal::bad("the content-length is no number");
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(bad);
    }
    std::str::from_utf8(digits).map_err(|_| bad)?.parse().map_err(|_| bad)
}

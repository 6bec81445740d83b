//! The framing of a body.

use super::{Fields, Refusal, Status, Version};

/// The framing of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body.
    None,
    /// A body of this many bytes.
    Length(u64),
    /// A body in chunks, each with its size before it.
    Chunked,
}

impl Framing {
    /// Whether no body follows the head.
    pub fn is_empty(self) -> bool {
        matches!(self, Self::None | Self::Length(0))
    }

    /// Derives the framing from the fields. It refuses fields that contradict each other.
    ///
    /// # Errors
    ///
    /// When they do, or the body has an unknown coding.
    pub fn parse(fields: &Fields<'_>, version: Version) -> Result<Self, Refusal> {
        let length = fields.single("content-length")?;
        if fields.values("transfer-encoding").next().is_none() {
            return length.map_or(Ok(Self::None), |digits| Ok(Self::Length(parse_length(digits)?)));
        }
        if length.is_some() {
            return Err(Refusal::bad("there are both a content-length and a transfer-encoding"));
        }
        if version == Version::Http10 {
            return Err(Refusal::bad("a message of HTTP/1.0 has a transfer-encoding"));
        }
        let mut codings = fields.words("transfer-encoding");
        let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
        match (codings.next(), codings.next()) {
            (Some(coding), None) if is_chunked(coding) => Ok(Self::Chunked),
            (Some(coding), Some(_)) if is_chunked(coding) => {
                Err(Refusal::bad("chunked is not the last transfer-encoding"))
            }
            (Some(_), _) => {
                Err(Refusal::new(Status::NotImplemented, "the transfer-encoding is unknown"))
            }
            (None, _) => Err(Refusal::bad("the transfer-encoding is empty")),
        }
    }
}

/// Parses digits only; `str::parse` also takes a `+`.
fn parse_length(digits: &[u8]) -> Result<u64, Refusal> {
    let bad = Refusal::bad("the content-length is not a number");
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(bad);
    }
    std::str::from_utf8(digits).map_err(|_| bad)?.parse().map_err(|_| bad)
}

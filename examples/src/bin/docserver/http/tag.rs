//! Entity tags.

use super::Refusal;

/// The value of `If-Match` or `If-None-Match`: any document, or those with one of these tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    Any,
    Of(Vec<Tag>),
}

/// A tag, without its quotes. A weak tag only says that two versions mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    is_weak: bool,
    opaque: Box<[u8]>,
}

impl Tags {
    /// Parses the values of a field; `None` if there are none. It refuses a malformed list, because
    /// ignoring it would run a request that the client made conditional.
    pub(crate) fn parse<'a>(
        mut values: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<Self>, Refusal> {
        let Some(first) = values.next() else { return Ok(None) };
        if first == b"*" && values.next().is_none() {
            return Ok(Some(Self::Any));
        }
        let mut tags = Vec::new();
        for value in std::iter::once(first).chain(values) {
            let mut rest = value.trim_ascii_start();
            while !rest.is_empty() {
                if let Some(after) = rest.strip_prefix(b",") {
                    rest = after.trim_ascii_start();
                    continue;
                }
                let (tag, after) = Tag::parse(rest).ok_or(Refusal::bad("an etag is malformed"))?;
                tags.push(tag);
                rest = after.trim_ascii_start();
                if !rest.is_empty() && !rest.starts_with(b",") {
                    return Err(Refusal::bad("an etag is malformed"));
                }
            }
        }
        Ok(Some(Self::Of(tags)))
    }

    /// Whether the strong tag `current` is in the list, by strong comparison.
    pub(crate) fn has_strong(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Of(tags) => tags.iter().any(|tag| tag.is(current)),
        }
    }

    /// Whether the tag `current` is in the list, by weak comparison.
    pub(crate) fn has(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Of(tags) => tags.iter().any(|tag| *tag.opaque == *current.as_bytes()),
        }
    }
}

impl Tag {
    /// Parses a tag at the start of `text`; returns the rest.
    pub(crate) fn parse(text: &[u8]) -> Option<(Self, &[u8])> {
        let weak = text.strip_prefix(b"W/");
        let quoted = weak.unwrap_or(text).strip_prefix(b"\"")?;
        let end = quoted.iter().position(|&byte| byte == b'"')?;
        let opaque = &quoted[..end];
        let is_valid = opaque.iter().all(|&byte| byte > b' ' && byte != 0x7f);
        is_valid
            .then(|| (Self { is_weak: weak.is_some(), opaque: opaque.into() }, &quoted[end + 1..]))
    }

    /// Whether this is the strong tag `current`.
    pub(crate) fn is(&self, current: &str) -> bool {
        !self.is_weak && *self.opaque == *current.as_bytes()
    }
}

//! The head of an answer.

use std::fmt;

use fsm_examples::http::{Fields, Framing, Refusal, Scan, StatusLine, keeps_alive, split};
use fsm_runtime::{Decoded, Frame};

/// The first byte of each answer, which is read before the rest.
pub(crate) const FIRST: u8 = StatusLine::FIRST;

/// The head of an answer, borrowed from the input.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) reason: &'a [u8],
    pub(crate) framing: Framing,
    /// Whether the target takes another request on this connection.
    pub(crate) keep_alive: bool,
    pub(crate) fields: Fields<'a>,
}

/// An answer that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadAnswer(pub(crate) &'static str);

impl fmt::Display for BadAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an answer is malformed: {}", self.0)
    }
}

impl From<Refusal> for BadAnswer {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.why)
    }
}

/// Decodes the head of an answer behind its [`FIRST`] byte.
#[derive(Debug, Default)]
pub(crate) struct AnswerCodec(Scan);

impl Frame for AnswerCodec {
    type Item<'a> = Answer<'a>;
    type Error = BadAnswer;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Answer<'a>>, BadAnswer> {
        Ok(match self.0.head(input)? {
            Some(range) if range.start > 0 => return Err(BadAnswer("it has no status line")),
            Some(range) => Decoded::Frame(Answer::parse(&input[range.clone()])?, range.end),
            None => Decoded::More(input.len() + 1),
        })
    }
}

impl<'a> Answer<'a> {
    fn parse(head: &'a [u8]) -> Result<Self, BadAnswer> {
        let (line, lines) = split(head);
        let StatusLine { version, status, reason } = StatusLine::parse_rest(line)?;
        let fields = Fields::parse(lines)?;
        let framing = Framing::parse(&fields, version)?;
        let keep_alive = keeps_alive(&fields, version);
        Ok(Self { status, reason, framing, keep_alive, fields })
    }

    /// Whether another answer to the same request follows.
    pub(crate) fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// Whether no body follows, whatever the fields say.
    pub(crate) fn is_bodiless(&self, is_head: bool) -> bool {
        is_head || self.is_interim() || matches!(self.status, 204 | 304)
    }
}

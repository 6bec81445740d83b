//! A frame with a repetition of another one: the requests of RESP2, without inline commands.

use std::fmt;

use fsm_runtime::{Decoded, Frame};

use super::support::{self, Counted, Times};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bulk<'a> {
    pub(crate) bytes: &'a [u8],
}

#[derive(Debug, Default)]
pub(crate) struct Bulks;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BulksError {
    Kind,
    Number { field: &'static str },
    Then { field: &'static str },
    TooLong { field: &'static str, len: u64, max: u64 },
}

impl fmt::Display for BulksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => f.write_str("kind is not '$'"),
            Self::Number { field } => write!(f, "{field} is no number in its range"),
            Self::Then { field } => write!(f, "{field} is not followed by what ends it"),
            Self::TooLong { field, len, max } => {
                write!(f, "the length of {field} is {len}, and at most {max}")
            }
        }
    }
}

impl Frame for Bulks {
    type Item<'a> = Bulk<'a>;
    type Error = BulksError;

    #[inline]
    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Bulk<'a>>, BulksError> {
        let Some(&kind) = input.first() else { return Ok(Decoded::More(1)) };
        if kind != b'$' {
            return Err(BulksError::Kind);
        }
        let (len, at) = match support::counted(input, 1) {
            Counted::Number(number, at) => match u32::try_from(number) {
                Ok(len) => (len, at),
                Err(_) => return Err(BulksError::Number { field: "len" }),
            },
            Counted::More(total) => return Ok(Decoded::More(total)),
            Counted::None => return Err(BulksError::Number { field: "len" }),
        };
        if u64::from(len) > 512 << 10 {
            return Err(BulksError::TooLong { field: "bytes", len: len.into(), max: 512 << 10 });
        }
        let end = at + len as usize;
        let Some(bytes) = input.get(at..end) else { return Ok(Decoded::More(end + 2)) };
        match support::literal(&input[end..], b"\r\n") {
            Some(true) => Ok(Decoded::Frame(Bulk { bytes }, end + 2)),
            Some(false) => Err(BulksError::Then { field: "bytes" }),
            None => Ok(Decoded::More(end + 2)),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) arguments: Times<'a, Bulks>,
}

/// The progress is the number of arguments that are whole, and where the next one begins.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    done: u32,
    at: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestsError {
    Kind,
    Number { field: &'static str },
    TooMany { field: &'static str, len: u64, max: u64 },
    Arguments(BulksError),
}

impl fmt::Display for RequestsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => f.write_str("kind is not '*'"),
            Self::Number { field } => write!(f, "{field} is no number in its range"),
            Self::TooMany { field, len, max } => {
                write!(f, "the number of {field} is {len}, and at most {max}")
            }
            Self::Arguments(error) => write!(f, "arguments: {error}"),
        }
    }
}

impl Frame for Requests {
    type Item<'a> = Request<'a>;
    type Error = RequestsError;

    #[inline]
    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Request<'a>>, RequestsError> {
        let Some(&kind) = input.first() else { return Ok(Decoded::More(1)) };
        if kind != b'*' {
            return Err(RequestsError::Kind);
        }
        let (count, first) = match support::counted(input, 1) {
            Counted::Number(number, at) => match u32::try_from(number) {
                Ok(count) => (count, at),
                Err(_) => return Err(RequestsError::Number { field: "count" }),
            },
            Counted::More(total) => return Ok(Decoded::More(total)),
            Counted::None => return Err(RequestsError::Number { field: "count" }),
        };
        if count > 64 {
            let len = count.into();
            return Err(RequestsError::TooMany { field: "arguments", len, max: 64 });
        }
        let mut at = (self.at as usize).max(first);
        for done in self.done..count {
            match Bulks.decode(&input[at..]) {
                Ok(Decoded::Frame(_, used)) => at += used,
                Ok(Decoded::More(total)) => {
                    (self.done, self.at) = (done, u32::try_from(at).unwrap_or(u32::MAX));
                    return Ok(Decoded::More(at + total));
                }
                Err(error) => return Err(RequestsError::Arguments(error)),
            }
        }
        let arguments = Times::new(&input[first..at], count as usize);
        Ok(Decoded::Frame(Request { arguments }, at))
    }
}

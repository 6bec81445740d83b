//! A frame of words and numbers in a line, by its first word, with counted bytes behind the line.

use std::{fmt, str};

use fsm_runtime::{Decoded, Frame};

use super::support;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    Put { priority: u32, body: &'a [u8] },
    Use { tube: &'a str },
    Reserve,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandsError {
    /// The line has none of the first words.
    Tag,
    Missing {
        field: &'static str,
    },
    Number {
        field: &'static str,
    },
    Utf8 {
        field: &'static str,
    },
    /// The line has more words than the command.
    Surplus,
    /// The bytes behind the field are not its `then`.
    Then {
        field: &'static str,
    },
    TooLong {
        field: &'static str,
        len: u64,
        max: u64,
    },
}

impl fmt::Display for CommandsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag => f.write_str("the first word is none of put, use, reserve"),
            Self::Missing { field } => write!(f, "the line ends before {field}"),
            Self::Number { field } => write!(f, "{field} is no number in its range"),
            Self::Utf8 { field } => write!(f, "{field} is not UTF-8"),
            Self::Surplus => f.write_str("the line goes on behind its last word"),
            Self::Then { field } => write!(f, "{field} is not followed by what ends it"),
            Self::TooLong { field, len, max } => {
                write!(f, "the length of {field} is {len}, and at most {max}")
            }
        }
    }
}

/// The progress is the number of bytes in which no line ends.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    searched: usize,
}

impl Frame for Commands {
    type Item<'a> = Command<'a>;
    type Error = CommandsError;

    #[inline]
    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Command<'a>>, CommandsError> {
        let window = &input[..input.len().min(224 + 2)];
        let Some(line) = support::find(window, self.searched, b"\r\n") else {
            if window.len() == 224 + 2 {
                let len = window.len() as u64;
                return Err(CommandsError::TooLong { field: "line", len, max: 224 });
            }
            self.searched = window.len();
            return Ok(Decoded::More(window.len() + 1));
        };
        let mut words = support::words(&input[..line]);
        let at = line + 2;
        let (command, end) = match words.next() {
            Some(b"put") => {
                let priority = words.next().ok_or(CommandsError::Missing { field: "priority" })?;
                let priority = support::decimal(priority)
                    .and_then(|number| u32::try_from(number).ok())
                    .ok_or(CommandsError::Number { field: "priority" })?;
                let len = words.next().ok_or(CommandsError::Missing { field: "len" })?;
                let len = support::decimal(len)
                    .and_then(|number| u32::try_from(number).ok())
                    .ok_or(CommandsError::Number { field: "len" })?;
                if words.next().is_some() {
                    return Err(CommandsError::Surplus);
                }
                if u64::from(len) > 64 << 10 {
                    let len = len.into();
                    return Err(CommandsError::TooLong { field: "body", len, max: 64 << 10 });
                }
                let end = at + len as usize;
                let Some(body) = input.get(at..end) else {
                    self.searched = line;
                    return Ok(Decoded::More(end + 2));
                };
                match support::literal(&input[end..], b"\r\n") {
                    Some(true) => {}
                    Some(false) => return Err(CommandsError::Then { field: "body" }),
                    None => {
                        self.searched = line;
                        return Ok(Decoded::More(end + 2));
                    }
                }
                (Command::Put { priority, body }, end + 2)
            }
            Some(b"use") => {
                let tube = words.next().ok_or(CommandsError::Missing { field: "tube" })?;
                let tube =
                    str::from_utf8(tube).map_err(|_| CommandsError::Utf8 { field: "tube" })?;
                if words.next().is_some() {
                    return Err(CommandsError::Surplus);
                }
                (Command::Use { tube }, at)
            }
            Some(b"reserve") => {
                if words.next().is_some() {
                    return Err(CommandsError::Surplus);
                }
                (Command::Reserve, at)
            }
            _ => return Err(CommandsError::Tag),
        };
        Ok(Decoded::Frame(command, end))
    }
}

use std::fmt;

use fsm_runtime::{Decoded, Frame};

/// The most bytes of a request.
pub(crate) const MAX: usize = 64 * 1024;

/// The most words of a request: `SET key value`.
const WORDS: usize = 3;

/// The most digits of a number in a request.
const DIGITS: usize = 6;

/// A command with its arguments, borrowed from the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    words: [&'a [u8]; WORDS],
    len: usize,
}

impl<'a> Request<'a> {
    #[inline]
    pub(crate) fn words(&self) -> &[&'a [u8]] {
        &self.words[..self.len]
    }
}

/// The decoder of requests.
///
/// It has no state: a request has at most three words, so decoding an incomplete one again is cheap.
#[derive(Debug, Default)]
pub(crate) struct Decoder;

impl Frame for Decoder {
    type Item<'a> = Request<'a>;
    type Error = Refusal;

    #[inline]
    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Request<'a>>, Refusal> {
        let Some((len, mut at)) = header(input, 0, b'*')? else { return Ok(Decoded::More(0)) };
        let mut words = [&input[..0]; WORDS];
        for word in words.get_mut(..len).ok_or(Refusal::TooManyWords)? {
            let Some((len, start)) = header(input, at, b'$')? else { return Ok(Decoded::More(0)) };
            let end = start + len;
            match input.get(end..end + 2) {
                Some(b"\r\n") => {}
                Some(_) => return Err(Refusal::NoEndOfLine),
                None => return Ok(Decoded::More(end + 2)),
            }
            *word = &input[start..end];
            at = end + 2;
        }
        Ok(Decoded::Frame(Request { words, len }, at))
    }
}

/// The number in the header at `at`, and the end of the header; `None` if it is incomplete.
#[inline]
fn header(input: &[u8], at: usize, kind: u8) -> Result<Option<(usize, usize)>, Refusal> {
    match input.get(at) {
        None => return Ok(None),
        Some(&byte) if byte == kind => {}
        Some(&byte) => return Err(Refusal::Unexpected(byte)),
    }
    let (mut number, mut end) = (0, at + 1);
    loop {
        match input.get(end) {
            None => return Ok(None),
            Some(&digit @ b'0'..=b'9') if end <= at + DIGITS => {
                number = number * 10 + usize::from(digit - b'0');
            }
            Some(b'\r') if end > at + 1 => break,
            Some(_) => return Err(Refusal::NotANumber),
        }
        end += 1;
    }
    match input.get(end + 1) {
        None => Ok(None),
        Some(b'\n') => Ok(Some((number, end + 2))),
        Some(_) => Err(Refusal::NoEndOfLine),
    }
}

/// The reason for refusing a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unexpected(u8),
    NotANumber,
    NoEndOfLine,
    TooManyWords,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected(byte) => write!(f, "unexpected '{}'", byte.escape_ascii()),
            Self::NotANumber => f.write_str("invalid length"),
            Self::NoEndOfLine => f.write_str("expected the end of the line"),
            Self::TooManyWords => write!(f, "a command has at most {WORDS} words"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n\r\n$1\r\n";

    #[test]
    fn a_request_is_decoded_when_it_is_complete() {
        for end in 0..SET.len() {
            assert!(matches!(Decoder.decode(&SET[..end]), Ok(Decoded::More(_))), "{end}");
        }
        let words: [&[u8]; 3] = [b"SET", b"k", b"\r\n$1"];
        let followed = [SET, b"*1\r\n$4\r\nPING\r\n"].concat();
        for input in [SET, &followed] {
            let Ok(Decoded::Frame(request, used)) = Decoder.decode(input) else { panic!() };
            assert_eq!((request.words(), used), (&words[..], SET.len()));
        }
    }

    #[test]
    fn an_invalid_request_is_refused() {
        let cases: [(&[u8], Refusal); 8] = [
            (b"PING\r\n", Refusal::Unexpected(b'P')),
            (b"*1\r\n:1\r\n", Refusal::Unexpected(b':')),
            (b"*\r\n", Refusal::NotANumber),
            (b"*-1\r\n", Refusal::NotANumber),
            (b"*1\r\n$1000000\r\n", Refusal::NotANumber),
            (b"*1\rx", Refusal::NoEndOfLine),
            (b"*1\r\n$1\r\nab\r\n", Refusal::NoEndOfLine),
            (b"*4\r\n", Refusal::TooManyWords),
        ];
        for (input, error) in cases {
            assert_eq!(Decoder.decode(input), Err(error), "{}", input.escape_ascii());
        }
    }
}

//! The lines between the chunks of a body.
//!
//! A chunked body is a sequence of chunks, each a line with its size, its bytes and an empty line,
//! up to a chunk of size 0; then trailer fields follow, up to an empty line.

use fsm_runtime::prelude::*;

use super::{Refusal, Status, is_token};

/// The longest line, and the most bytes behind the size of a chunk.
pub const MAX_LINE: usize = 256;

/// The maximum number of trailer lines.
const MAX_TRAILERS: u8 = 32;

/// The line before a chunk.
#[frame(ChunkSizes)]
#[derive(Debug)]
pub struct ChunkSize<'a> {
    /// The number of bytes of the chunk; 0 for the last one.
    #[hex]
    pub size: u64,
    /// The extensions and the CR.
    #[until(b"\n", max = MAX_LINE)]
    rest: &'a [u8],
}

impl ChunkSize<'_> {
    /// Checks the extensions, and returns the size. The server ignores them, because it supports none.
    ///
    /// # Errors
    ///
    /// When an extension is malformed.
    pub fn checked(&self) -> Result<u64, Refusal> {
        let extensions = line(self.rest)?;
        check_text(extensions)?;
        if !are_extensions(extensions) {
            return Err(Refusal::bad("a chunk extension is malformed"));
        }
        Ok(self.size)
    }
}

impl From<&ChunkSizesError> for Refusal {
    fn from(why: &ChunkSizesError) -> Self {
        match why {
            ChunkSizesError::TooLong { .. } => Self::LONG_CHUNK_LINE,
            _ => Self::bad("the size of a chunk is malformed"),
        }
    }
}

/// Whether these are extensions of RFC 9112: each a `;` and a name, with a value if `=` follows.
fn are_extensions(mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        let Some(after) = skip_blanks(rest).strip_prefix(b";") else { return false };
        let Some(after) = skip_token(skip_blanks(after)) else { return false };
        rest = after;
        if let Some(value) = skip_blanks(after).strip_prefix(b"=") {
            let value = skip_blanks(value);
            let Some(after) = skip_quoted(value).or_else(|| skip_token(value)) else {
                return false;
            };
            rest = after;
        }
    }
    true
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[blanks..]
}

/// The rest of `text` after the token at its start, if there is one.
fn skip_token(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|&byte| !is_token(&[byte])).unwrap_or(text.len());
    (end > 0).then(|| &text[end..])
}

/// The rest of `text` after the quoted string at its start, if there is one.
fn skip_quoted(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        rest = match rest {
            [b'"', after @ ..] => return Some(after),
            [b'\\', _, after @ ..] | [_, after @ ..] => after,
            [] => return None,
        };
    }
}

/// Returns a line without the CR that must be before its LF.
///
/// # Errors
///
/// When there is no CR.
pub fn line(line: &[u8]) -> Result<&[u8], Refusal> {
    line.strip_suffix(b"\r").ok_or(Refusal::bad("a line ends without CR"))
}

/// Checks that CRLF follows a chunk.
///
/// # Errors
///
/// When it does not.
pub fn end(bytes: [u8; 2]) -> Result<(), Refusal> {
    if bytes == *b"\r\n" { Ok(()) } else { Err(Refusal::bad("a chunk is longer than its size")) }
}

/// The check of trailer fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trailers(u8);

impl Trailers {
    /// Checks a line, without its CRLF; returns whether it is the last one.
    ///
    /// # Errors
    ///
    /// When it is not a field, or one too many.
    pub fn is_last(&mut self, line: &[u8]) -> Result<bool, Refusal> {
        if line.is_empty() {
            return Ok(true);
        }
        self.0 += 1;
        if self.0 > MAX_TRAILERS {
            return Err(Refusal::new(Status::FieldsTooLarge, "too many trailer fields"));
        }
        check_text(line)?;
        let name = line.split(|&byte| byte == b':').next().filter(|name| name.len() < line.len());
        match name {
            Some(name) if is_token(name) => Ok(false),
            _ => Err(Refusal::bad("a trailer line is not a field")),
        }
    }
}

/// Refuses bytes that a lenient reader might take for a line end.
fn check_text(line: &[u8]) -> Result<(), Refusal> {
    if line.iter().any(|&byte| byte.is_ascii_control() && byte != b'\t') {
        return Err(Refusal::bad("there is a control character between two chunks"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use fsm_runtime::check;

    use super::*;

    /// The size in a line, to which the line end is added.
    fn size(line: &str) -> Result<u64, Refusal> {
        let line = [line.as_bytes(), b"\r\n"].concat();
        match ChunkSizes::default().decode(&line) {
            Ok(Decoded::Frame(size, _)) => size.checked(),
            Ok(Decoded::More(total)) => panic!("{total} bytes of {line:?}"),
            Err(why) => Err((&why).into()),
        }
    }

    #[test]
    fn sizes_are_the_same_however_they_arrive() {
        check::frames::<ChunkSizes>();
    }

    #[test]
    fn sizes_are_hexadecimal() {
        for (line, expected) in [
            ("0", 0),
            ("000", 0),
            ("a", 10),
            ("fF", 255),
            ("00000000000000ff", 255),
            ("ffffffffffffffff", u64::MAX),
            ("5;name=value", 5),
            ("5;name=\"a b\"", 5),
            ("5 ; name", 5),
            ("5\t;\tname", 5),
            ("5;a;b=c ; d = \"e\\\"f\";g", 5),
            ("5;a=\"\"", 5),
        ] {
            assert_eq!(size(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn malformed_sizes_are_refused() {
        for line in [
            "",
            " ",
            ";x",
            "+5",
            "-5",
            " 5",
            "5 ",
            "5x",
            "0x5",
            "g",
            "5 5",
            "5,5",
            "5\r",
            "5\n",
            "5;",
            "5;;",
            "5;a;",
            "5;a;;b",
            "5;=b",
            "5;a=",
            "5;a=b c",
            "5;bad[=x",
            "5;a=[",
            "5;a=\"unterminated",
            "5;a=\"\\\"",
            "5;a=\"b\"c",
            "5;a b",
            "5;a ",
            "5;\n",
            "5;\r",
            "5;\0",
            "5\u{b};",
            "00000000000000000",
            "10000000000000000",
            "1_0",
            "５",
        ] {
            assert_eq!(size(line).map_err(|why| why.status), Err(Status::BadRequest), "{line:?}");
        }
    }

    #[test]
    fn a_chunk_ends_where_its_size_says() {
        assert!(end(*b"\r\n").is_ok());
        for bytes in [*b"\n\n", *b"\r\r", *b"\nx", *b"ab", *b"\r\0"] {
            assert!(end(bytes).is_err());
        }
    }

    #[test]
    fn trailers_end_with_an_empty_line() {
        let mut trailers = Trailers::default();
        assert_eq!(trailers.is_last(b"Digest: abc"), Ok(false));
        assert_eq!(trailers.is_last(b"x:"), Ok(false));
        assert_eq!(trailers.is_last(b""), Ok(true));
        for line in
            [" ", "no colon", "a b: c", " a: b", ": b", "a : b", "a: b\rc", "a: b\nc", "a: \0"]
        {
            assert!(trailers.is_last(line.as_bytes()).is_err(), "{line:?}");
        }
    }

    #[test]
    fn trailers_are_bounded() {
        let mut trailers = Trailers::default();
        assert!((0..32).all(|_| trailers.is_last(b"a: b") == Ok(false)));
        assert_eq!(
            trailers.is_last(b"a: b").map_err(|why| why.status),
            Err(Status::FieldsTooLarge)
        );
    }
}

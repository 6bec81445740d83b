//! The text of a document.

use std::fs::File;
use std::io::{self, Read, Seek};

/// The maximum number of bytes of a document's text that the search covers.
const MAX: u64 = 4 * 1024 * 1024;

/// Checks in pieces whether bytes are UTF-8.
#[derive(Debug, Default)]
pub(super) struct Utf8Check {
    /// The incomplete character at the end of the last piece.
    rest: Vec<u8>,
    is_broken: bool,
}

impl Utf8Check {
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        // Complete the character of the last piece, a byte at a time.
        while let (false, false, Some((&byte, after))) =
            (self.is_broken, self.rest.is_empty(), bytes.split_first())
        {
            self.rest.push(byte);
            bytes = after;
            match std::str::from_utf8(&self.rest) {
                Ok(_) => self.rest.clear(),
                Err(error) => self.is_broken = error.error_len().is_some(),
            }
        }
        if self.is_broken || bytes.is_empty() {
            return;
        }
        if let Err(error) = std::str::from_utf8(bytes) {
            self.is_broken = error.error_len().is_some();
            self.rest.extend(&bytes[error.valid_up_to()..]);
        }
    }

    /// Whether all pieces together are UTF-8.
    pub(super) fn is_text(&self) -> bool {
        !self.is_broken && self.rest.is_empty()
    }
}

/// Reads the part of a text that the search covers.
pub(crate) fn read(mut file: &File) -> io::Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(MAX).read_to_end(&mut bytes)?;
    Ok(cut(bytes))
}

/// Removes an incomplete character at the end.
fn cut(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let valid = error.utf8_error().valid_up_to();
        let mut bytes = error.into_bytes();
        bytes.truncate(valid);
        String::from_utf8(bytes).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_text(pieces: &[&[u8]]) -> bool {
        let mut check = Utf8Check::default();
        for piece in pieces {
            check.feed(piece);
        }
        check.is_text()
    }

    #[test]
    fn cuts_make_no_difference_to_utf8() {
        let text = "aä€😀\0z".as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert!(is_text(&pieces), "{first} {second}");
                let broken = [pieces[0], b"\xff", pieces[1], pieces[2]];
                assert!(!is_text(&broken), "{first} {second}");
            }
            assert_eq!(is_text(&[&text[..first]]), std::str::from_utf8(&text[..first]).is_ok());
        }
        for bytes in [&b"\xc0\x80"[..], b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"a\xe2\x82"]
        {
            let single: Vec<_> = bytes.chunks(1).collect();
            assert!(!is_text(&[bytes]) && !is_text(&single), "{bytes:x?}");
        }
        assert!(is_text(&[]));
    }

    #[test]
    fn no_half_character_is_searched() {
        assert_eq!(cut("ä€".as_bytes()[..4].to_vec()), "ä");
    }
}

//! Where a head ends.

use std::ops::Range;

use super::{Refusal, Status};

/// The longest request line. RFC 9112 asks for 8,000 bytes at least.
const MAX_LINE: usize = 8 * 1024;

/// So many empty lines may come before a request: some clients send one too many after a body.
const MAX_EMPTY_LINES: usize = 2;

/// Looks for the end of a head, at each byte once.
///
/// It refuses every byte that a lenient reader might take for the end of a line and a strict one
/// might not. What it finds wrong is wrong with a prefix of the input, so it is the same however
/// the input is cut.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The first byte that was not looked at.
    at: usize,
    /// Where the request line starts.
    start: usize,
    /// Where the line that `at` is in starts.
    line: usize,
    empty_lines: usize,
}

impl Scan {
    /// Where the head lies in the input, from the request line to the empty line at its end.
    pub(crate) fn head(&mut self, input: &[u8]) -> Result<Option<Range<usize>>, Refusal> {
        while let Some(&byte) = input.get(self.at) {
            let at = self.at;
            self.at += 1;
            let after_cr = at > self.line && input[at - 1] == b'\r';
            match byte {
                b'\n' if after_cr => {
                    let (is_first, is_empty) = (self.is_first_line(), at == self.line + 1);
                    self.line = at + 1;
                    match (is_first, is_empty) {
                        (true, true) => self.skip_empty_line()?,
                        (false, true) => return Ok(Some(self.start..self.line)),
                        (_, false) => {}
                    }
                }
                b'\n' => return Err(Refusal::bad("a line ends without CR")),
                _ if after_cr => return Err(Refusal::bad("a CR without LF")),
                b'\r' | b'\t' => {}
                0..=0x1f | 0x7f => return Err(Refusal::bad("a control character in the head")),
                _ if self.is_first_line() && at - self.start >= MAX_LINE => {
                    return Err(Refusal::new(Status::UriTooLong, "the target is too long"));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn is_first_line(&self) -> bool {
        self.line == self.start
    }

    fn skip_empty_line(&mut self) -> Result<(), Refusal> {
        self.start = self.line;
        self.empty_lines += 1;
        if self.empty_lines > MAX_EMPTY_LINES {
            return Err(Refusal::bad("empty lines instead of a request"));
        }
        Ok(())
    }
}

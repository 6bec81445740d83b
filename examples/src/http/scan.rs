//! The search for the end of a head.

use std::ops::Range;

use super::{Refusal, Status};

/// The maximum length of the request line. RFC 9112 recommends at least 8,000 bytes.
const MAX_LINE: usize = 8 * 1024;

/// The maximum number of empty lines before a request: some clients send one after a body.
const MAX_EMPTY_LINES: usize = 2;

/// Searches for the end of a head and looks at each byte once.
///
/// It refuses every byte that a lenient reader might take for a line end and a strict one might
/// not. An error depends only on a prefix of the input, so that it is the same however the input is
/// cut.
#[derive(Debug, Default)]
pub struct Scan {
    /// The first byte that was not scanned yet.
    at: usize,
    /// The start of the request line.
    start: usize,
    /// The start of the line that contains `at`.
    line: usize,
    empty_lines: usize,
}

impl Scan {
    /// The range of the head, from the request line to the empty line; `None` if the input is
    /// incomplete.
    ///
    /// # Errors
    ///
    /// When no continuation of the input can be a head.
    pub fn head(&mut self, input: &[u8]) -> Result<Option<Range<usize>>, Refusal> {
        while let Some(&byte) = input.get(self.at) {
            let at = self.at;
            let after_cr = at > self.line && input[at - 1] == b'\r';
            let text = if after_cr { 0 } else { self.text(input) };
            if text > 0 {
                self.at += text;
                continue;
            }
            self.at += 1;
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
                _ if after_cr => return Err(Refusal::bad("a line has a CR without LF")),
                b'\r' | b'\t' => {}
                0..=0x1f | 0x7f => return Err(Refusal::bad("the head has a control character")),
                _ if self.is_first_line() && at - self.start >= MAX_LINE => {
                    return Err(if input[self.start..at].contains(&b' ') {
                        Refusal::new(Status::UriTooLong, "the target is too long")
                    } else {
                        Refusal::new(Status::NotImplemented, "the method is unknown")
                    });
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The number of bytes from `at` that may stand anywhere in a line, and do not make it too long.
    fn text(&self, input: &[u8]) -> usize {
        let most = if self.is_first_line() { self.start + MAX_LINE } else { input.len() };
        let rest = input.get(self.at..most.min(input.len())).unwrap_or_default();
        rest.iter().position(|byte| matches!(byte, 0..=0x1f | 0x7f)).unwrap_or(rest.len())
    }

    fn is_first_line(&self) -> bool {
        self.line == self.start
    }

    fn skip_empty_line(&mut self) -> Result<(), Refusal> {
        self.start = self.line;
        self.empty_lines += 1;
        if self.empty_lines > MAX_EMPTY_LINES {
            return Err(Refusal::bad("too many empty lines come before the request"));
        }
        Ok(())
    }
}

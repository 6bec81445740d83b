use std::fmt;

/// The words of a line, with one space between them: the field of a frame with `line = ..`.
///
/// ```
/// use fsm_runtime::prelude::*;
///
/// #[frame(Commands, line = b"\r\n", max = 224)]
/// enum Command<'a> {
///     #[is("get")]
///     Get { keys: Words<'a> },
/// }
///
/// # fn main() {
/// let decoded = Commands::default().decode(b"get a bc\r\n");
/// let Ok(Decoded::Frame(Command::Get { keys }, 10)) = decoded else { panic!() };
/// assert_eq!(keys.collect::<Vec<_>>(), [&b"a"[..], b"bc"]);
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Words<'a>(Option<&'a [u8]>);

impl<'a> Words<'a> {
    /// The words of `line`; none if it is empty.
    pub fn new(line: &'a [u8]) -> Self {
        Self((!line.is_empty()).then_some(line))
    }

    /// The words of a line that a decoder reads. There is one, which may be empty.
    #[doc(hidden)]
    #[inline]
    pub fn of_line(line: &'a [u8]) -> Self {
        Self(Some(line))
    }

    /// The words that are left, as they were sent; `None` after the last one.
    #[inline]
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        self.0
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.0?;
        // Words are short: a loop takes fewer instructions than a search with wide registers.
        let Some(end) = line.iter().position(|byte| *byte == b' ') else {
            self.0 = None;
            return Some(line);
        };
        self.0 = Some(&line[end + 1..]);
        Some(&line[..end])
    }
}

impl fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words(\"{}\")", self.0.unwrap_or_default().escape_ascii())
    }
}

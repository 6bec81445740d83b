//! Commands that are refused.

use std::fmt;

/// The reason why a command is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) &'static str);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Parses digits.
pub(crate) fn number(digits: &[u8]) -> Result<u64, Refusal> {
    let text = std::str::from_utf8(digits).map_err(|_| Refusal("not a number"))?;
    text.trim().parse().map_err(|_| Refusal("not a number"))
}

use std::fmt;
use std::ops::Deref;

/// The bytes that a machine has sent, which [`Session::receive`](super::Session::receive) returns.
///
/// They compare with slices, arrays and vectors, and print as text, so that a failed assertion can be
/// read.
///
/// ```
/// use fsm_runtime::sim::ReceivedBytes;
///
/// let output = ReceivedBytes::from(b"200 OK\r\n");
/// assert_eq!(output, b"200 OK\r\n");
/// assert!(output.starts_with(b"200"));
/// assert_eq!(format!("{output:?}"), r#"b"200 OK\r\n""#);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ReceivedBytes(Vec<u8>);

impl fmt::Debug for ReceivedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

impl Deref for ReceivedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for ReceivedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for ReceivedBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl<const N: usize> From<&[u8; N]> for ReceivedBytes {
    fn from(bytes: &[u8; N]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<ReceivedBytes> for Vec<u8> {
    fn from(output: ReceivedBytes) -> Self {
        output.0
    }
}

impl IntoIterator for ReceivedBytes {
    type Item = u8;
    type IntoIter = std::vec::IntoIter<u8>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a ReceivedBytes {
    type Item = &'a u8;
    type IntoIter = std::slice::Iter<'a, u8>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl PartialEq<[u8]> for ReceivedBytes {
    fn eq(&self, other: &[u8]) -> bool {
        self.0 == other
    }
}

impl PartialEq<&[u8]> for ReceivedBytes {
    fn eq(&self, other: &&[u8]) -> bool {
        self.0 == *other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for ReceivedBytes {
    fn eq(&self, other: &[u8; N]) -> bool {
        self.0 == other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for ReceivedBytes {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self.0 == *other
    }
}

impl PartialEq<Vec<u8>> for ReceivedBytes {
    fn eq(&self, other: &Vec<u8>) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_comparison_of_output_shows_text() {
        let failed = std::panic::catch_unwind(|| assert_eq!(ReceivedBytes::from(b"no\n"), b"yes"));
        let message = *failed.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains(r#"left: b"no\n""#), "{message}");
    }

    #[test]
    fn output_compares_with_each_kind_of_bytes() {
        let output = ReceivedBytes::from(b"abc".to_vec());
        assert_eq!(output, b"abc");
        assert_eq!(output, *b"abc");
        assert_eq!(output, b"abc"[..]);
        assert_eq!(output, &b"abc"[..]);
        assert_eq!(output, b"abc".to_vec());
        assert_ne!(output, b"abd");
        assert_eq!(output, output.clone().into_iter().collect::<Vec<_>>());
    }
}

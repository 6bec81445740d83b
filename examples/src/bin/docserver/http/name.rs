//! Names of documents.

use std::fmt;

use super::{Refusal, percent};

/// The maximum length of a name in bytes.
const MAX: usize = 255;

/// The name of a document: 1 to 255 bytes that would be valid as a file name, although the store
/// never uses it as one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name(Box<str>);

impl Name {
    pub(crate) fn new(name: &str) -> Result<Self, Refusal> {
        let why = match name {
            "" => "a name is empty",
            _ if name.len() > MAX => "a name is longer than 255 bytes",
            _ if name.contains(['/', '\\']) => "a name has a slash",
            _ if name.contains(char::is_control) => "a name has a control character",
            _ if name.starts_with('.') => "a name starts with a dot",
            _ => return Ok(Self(name.into())),
        };
        Err(Refusal::bad(why))
    }

    /// Parses the part of a path that is a name.
    pub(crate) fn from_path(segment: &str) -> Result<Self, Refusal> {
        Self::new(&percent::decode(segment, false)?)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_a_file_could_be_called() {
        let longest = "ä".repeat(127) + "x";
        for name in ["a", "a b.txt", "Grüße.md", "a..b", "a.", "~", "C:", "%2e", &longest] {
            assert_eq!(Name::new(name).map(|name| name.to_string()).as_deref(), Ok(name));
        }
        assert_eq!(Name::from_path("Gr%C3%BC%C3%9Fe+%25.md").unwrap().as_str(), "Grüße+%.md");
    }

    #[test]
    fn no_name_leads_out_of_a_directory() {
        let long = "x".repeat(256);
        for name in ["", ".", "..", ".hidden", "a/b", "/", "a\\b", "a\0", "a\nb", "\u{85}", &long] {
            assert!(Name::new(name).is_err(), "{name:?}");
        }
        for segment in ["%2e%2e", "%2E", "a%2fb", "a%2Fb", "%5c", "a%00", "%0d%0a", "%c0%ae", "%"] {
            assert!(Name::from_path(segment).is_err(), "{segment}");
        }
    }
}

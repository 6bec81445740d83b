//! The fields of a head.

use httparse::Header;

use super::{Refusal, Status};

/// The maximum number of fields.
const MAX_FIELDS: usize = 64;

/// The fields of a head, in their order.
#[derive(Debug, Default)]
pub struct Fields<'a>(Vec<Header<'a>>);

impl<'a> Fields<'a> {
    /// Parses the lines after the first one, up to and with the empty line.
    ///
    /// # Errors
    ///
    /// When a line is not a field, or there are more than 64.
    pub fn parse(lines: &'a [u8]) -> Result<Self, Refusal> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        match httparse::parse_headers(lines, &mut fields) {
            Ok(httparse::Status::Complete((len, fields))) if len == lines.len() => {
                Ok(Self(fields.to_vec()))
            }
            Err(httparse::Error::TooManyHeaders) => {
                Err(Refusal::new(Status::FieldsTooLarge, "too many fields"))
            }
            _ => Err(Refusal::bad("a line of the head is not a field")),
        }
    }

    /// The number of fields.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All fields: the name and the value, trimmed.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + '_ {
        self.0.iter().map(|field| (field.name, field.value.trim_ascii()))
    }

    /// The values of all fields of this name, trimmed.
    pub fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        let named = self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
        named.map(|field| field.value.trim_ascii())
    }

    /// The value of a field that may occur once at most.
    ///
    /// # Errors
    ///
    /// When it occurs twice.
    pub fn single(&self, name: &str) -> Result<Option<&'a [u8]>, Refusal> {
        let mut values = self.values(name);
        let value = values.next();
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Refusal::bad("a field that may occur once occurs twice")),
        }
    }

    /// The elements of a list, which may span several fields.
    pub fn words<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        let words = self.values(name).flat_map(|value| value.split(|&byte| byte == b','));
        words.map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
    }

    /// Whether a list contains this word, in any case.
    pub fn has_word(&self, name: &str, word: &str) -> bool {
        self.words(name).any(|found| found.eq_ignore_ascii_case(word.as_bytes()))
    }
}

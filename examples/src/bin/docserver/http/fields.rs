//! The fields of a head.

use httparse::Header;

use super::{Refusal, Status};

/// The maximum number of fields.
const MAX_FIELDS: usize = 64;

/// The fields of a head, in their order.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a>(Vec<Header<'a>>);

impl<'a> Fields<'a> {
    /// Parses the lines after the request line, up to and with the empty line.
    pub(crate) fn parse(lines: &'a [u8]) -> Result<Self, Refusal> {
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

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The values of all fields of this name, trimmed.
    pub(crate) fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        let named = self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
        named.map(|field| field.value.trim_ascii())
    }

    /// The value of a field that may occur once at most.
    pub(crate) fn single(&self, name: &str) -> Result<Option<&'a [u8]>, Refusal> {
        let mut values = self.values(name);
        let value = values.next();
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Refusal::bad("a field that may occur once occurs twice")),
        }
    }

    /// The elements of a list, which may span several fields.
    pub(crate) fn words<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        let words = self.values(name).flat_map(|value| value.split(|&byte| byte == b','));
        words.map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
    }

    /// Whether a list contains this word, in any case.
    pub(crate) fn has_word(&self, name: &str, word: &str) -> bool {
        self.words(name).any(|found| found.eq_ignore_ascii_case(word.as_bytes()))
    }
}

//! The parts of an answer that depend on the document alone.

use std::fmt::Write as _;
use std::time::SystemTime;

use super::Validators;
use super::date::format_date;
use super::media::media_type;

/// A document as answers describe it.
#[derive(Clone, Debug)]
pub(crate) struct Representation {
    /// The strong tag, without quotes.
    etag: String,
    modified: SystemTime,
    pub(crate) len: u64,
    /// The fields of an answer with bytes of the document.
    fields: String,
    /// How many bytes of them are those of an answer without.
    validators: usize,
}

impl Representation {
    pub(crate) fn new(name: &str, etag: String, modified: SystemTime, len: u64) -> Self {
        let mut fields = String::with_capacity(384);
        let date = format_date(modified);
        let _ = write!(
            fields,
            "ETag: \"{etag}\"\r\nLast-Modified: {date}\r\nAccept-Ranges: bytes\r\nCache-Control: no-cache\r\n"
        );
        let validators = fields.len();
        // Forbids browsers to guess another type, or to run the document with this server's rights.
        let _ = write!(
            fields,
            "Content-Type: {}\r\nX-Content-Type-Options: nosniff\r\n\
             Content-Security-Policy: sandbox; default-src 'none'\r\n",
            media_type(name)
        );
        Self { etag, modified, len, fields, validators }
    }

    pub(crate) fn etag(&self) -> &str {
        &self.etag
    }

    /// The lines of an answer with bytes of the document.
    pub(super) fn lines(&self) -> &str {
        &self.fields
    }

    /// The lines of an answer without.
    pub(super) fn validator_lines(&self) -> &str {
        &self.fields[..self.validators]
    }

    pub(crate) fn validators(&self) -> Validators<'_> {
        Validators { etag: &self.etag, modified: self.modified }
    }
}

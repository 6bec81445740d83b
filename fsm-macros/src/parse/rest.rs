use proc_macro2::{Ident, TokenStream};

use super::Parsed;
use super::entry;
use super::parts;
use super::reader::Reader;
use super::wait::alone;
use crate::ast::{Edges, Event};
use crate::code::Code;
use crate::errors::Errors;

/// The arguments of `#[rest(..)]`.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) edges: Edges,
    pub(super) keep: Option<Ident>,
}

/// Reads the arguments of `#[rest(..)]`.
pub(super) fn rest(arguments: TokenStream, errors: &mut Errors) -> Parsed<Rest> {
    let mut reader = Reader::new("rest", errors);
    let parts = parts::parts(arguments, false, reader.errors);
    let entries = entry::entries(&parts, reader.errors);
    let mut rest = Rest::default();
    for entry in entries.value {
        if entry.key == "keep" {
            if reader.is_first(&entry, "=") {
                alone(&entry, "#[rest(keep)]", &mut reader);
            }
            rest.keep = Some(entry.key);
            continue;
        }
        match Event::named(&entry.key.to_string()) {
            Some(Event::Drain) => reader.event(Event::Drain, entry, &mut rest.edges),
            Some(_) => {
                let key = &entry.key;
                let text = format!("`{key}` is an edge of the wait; write it in its parentheses");
                reader.unreadable(Code::WrongPlace, key, text);
            }
            None => reader.unknown(&entry, &["keep", "drain"]),
        }
    }
    Parsed { value: rest, complete: entries.complete && !reader.incomplete }
}

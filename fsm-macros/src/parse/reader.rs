use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;

use super::entry::Entry;
use super::literal;
use crate::ast::{Answer, Edges, Event, Size};
use crate::errors::Errors;
use crate::spelling;

/// Reads the keys of one attribute.
pub(crate) struct Reader<'a> {
    pub(crate) errors: &'a mut Errors,
    /// The attribute's name.
    pub(crate) name: &'static str,
    seen: Vec<String>,
    /// Something could not be read, so what is missing may be there.
    pub(crate) damaged: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(name: &'static str, errors: &'a mut Errors) -> Self {
        Self { errors, name, seen: Vec::new(), damaged: false }
    }

    /// Adds a finding about something that then counts as unknown.
    pub(crate) fn lost(&mut self, place: impl ToTokens, message: impl std::fmt::Display) {
        self.errors.at(place, message);
        self.damaged = true;
    }

    /// Whether this is the first `key` of its kind.
    pub(crate) fn is_first(&mut self, entry: &Entry, kind: &str) -> bool {
        let key = &entry.key;
        let id = format!("{key} {kind}");
        let first = !self.seen.contains(&id);
        if first {
            self.seen.push(id);
        } else {
            self.errors.at(key, format_args!("`{key}` is here twice; remove one"));
        }
        first
    }

    /// The value of a key that leads nowhere.
    pub(crate) fn value(&mut self, entry: &Entry, example: &str) -> Option<TokenStream> {
        let key = &entry.key;
        if let Some(target) = &entry.target {
            self.errors.at(target, format_args!("`{key}` leads nowhere; remove `=> {target}`"));
        }
        let Some(value) = &entry.value else {
            self.lost(key, format_args!("`{key}` lacks its value; write `{example}`"));
            return None;
        };
        self.whole(value);
        Some(value.clone())
    }

    /// An expression that is being typed ends in an operator. rustc would show that at the whole
    /// macro.
    pub(crate) fn whole(&mut self, value: &TokenStream) {
        if let Some(TokenTree::Punct(last)) = value.clone().into_iter().last() {
            if !matches!(last.as_char(), '?' | '>') {
                self.lost(&last, format_args!("expected more after `{last}`"));
            }
        }
    }

    pub(crate) fn size(&mut self, tokens: &TokenStream) -> Size {
        match literal::size(tokens) {
            Ok(size) => size,
            Err(message) => {
                self.errors.at(tokens, message);
                Size { value: tokens.clone(), text: tokens.to_string() }
            }
        }
    }

    pub(crate) fn millis(&mut self, tokens: &TokenStream) -> u64 {
        match literal::millis(tokens) {
            Ok(millis) => millis,
            Err(message) => {
                self.errors.at(tokens, message);
                1
            }
        }
    }

    /// Reads `eof => State` and its like into `edges`.
    pub(crate) fn event(&mut self, event: Event, entry: Entry, edges: &mut Edges) {
        if !self.is_first(&entry, "=>") {
            return;
        }
        let name = event.name();
        let Entry { key, value, target } = entry;
        if event.is_deadline() {
            let says_never = value.as_ref().is_some_and(is_never);
            let (Some(time), Some(target)) = (&value, &target) else {
                match (value, target) {
                    (Some(_), _) if says_never && event == Event::Within => edges.never = Some(key),
                    (Some(_), _) if says_never => {
                        self.lost(key, "`idle = never` says too little; write `within = never`");
                    }
                    (Some(time), _) => self
                        .lost(key, format_args!("`{name} = {time}` leads nowhere; add `=> State`")),
                    (None, Some(target)) => self.lost(
                        key,
                        format_args!("`{name}` lacks its time; write `{name} = 30s => {target}`"),
                    ),
                    (None, None) => self.lost(
                        key,
                        format_args!("`{name}` lacks its time; write `{name} = 30s => State`"),
                    ),
                }
                return;
            };
            if says_never {
                let text = format_args!("`never` leads nowhere; remove `=> {target}`");
                self.lost(target, text);
                return;
            }
            let millis = self.millis(time);
            edges.answers.push(Answer { event, key, millis, target: target.clone() });
            return;
        }
        match (value, target) {
            (value, Some(target)) => {
                if let Some(value) = value {
                    let text = format_args!("`{name}` has no value; write `{name} => {target}`");
                    self.errors.at(value, text);
                }
                edges.answers.push(Answer { event, key, millis: 0, target });
            }
            (value, None) => {
                let target = value.map_or_else(|| "State".to_owned(), |value| value.to_string());
                self.lost(key, format_args!("`{name}` leads nowhere; write `{name} => {target}`"));
            }
        }
    }

    /// Says that `key` is none of `known`.
    pub(crate) fn unknown(&mut self, key: &Ident, known: &[&'static str]) {
        let name = self.name;
        let remedy = match spelling::nearest(&key.to_string(), known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it takes {}", spelling::list(known)),
        };
        self.lost(key, format_args!("unknown key `{key}` on `{name}`; {remedy}"));
    }
}

fn is_never(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter();
    matches!(tokens.next(), Some(TokenTree::Ident(word)) if word == "never")
        && tokens.next().is_none()
}

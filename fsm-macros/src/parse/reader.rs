use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;

use super::attribute::ON_STATES;
use super::entry::Entry;
use super::{literal, marks, parts, words};
use crate::ast::{self, Edges, Event, EventEdge, Size, Time};
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// Reads the keys of one attribute.
pub(crate) struct Reader<'a> {
    pub(crate) errors: &'a mut Errors,
    /// The attribute's name.
    pub(crate) name: &'static str,
    seen: Vec<String>,
    /// Some entry could not be read, so a missing key may be in it.
    pub(crate) incomplete: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(name: &'static str, errors: &'a mut Errors) -> Self {
        Self { errors, name, seen: Vec::new(), incomplete: false }
    }

    /// Adds a finding about something unreadable.
    pub(crate) fn unreadable(
        &mut self,
        code: Code,
        place: impl ToTokens,
        message: impl std::fmt::Display,
    ) {
        self.errors.at(code, place, message);
        self.incomplete = true;
    }

    /// Whether this is the first `key` of its kind.
    pub(crate) fn is_first(&mut self, entry: &Entry, kind: &str) -> bool {
        let key = &entry.key;
        let id = format!("{key} {kind}");
        let first = !self.seen.contains(&id);
        if first {
            self.seen.push(id);
        } else {
            self.errors.at(Code::Twice, key, format_args!("`{key}` is here twice; remove one"));
        }
        first
    }

    /// The value of a key that is no edge.
    pub(crate) fn value(&mut self, entry: &Entry, example: &str) -> Option<TokenStream> {
        let key = &entry.key;
        if entry.unreadable {
            return None;
        }
        if let Some(target) = &entry.target {
            let text = format!("`{key}` leads nowhere; remove `=> {target}`");
            self.unreadable(Code::TooMuch, target, text);
        }
        let Some(value) = entry.value.as_ref().filter(|value| !value.is_empty()) else {
            let text = format!("`{key}` lacks its value; write `{example}`");
            self.unreadable(Code::ValueMissing, key, text);
            return None;
        };
        if entry.at_most != example.contains("<=") {
            self.unreadable(Code::Grammar, key, format_args!("write `{example}`"));
            return None;
        }
        self.is_whole(value).then(|| value.clone())
    }

    /// Refuses what is no whole expression: rustc would report it at the whole macro.
    pub(crate) fn is_whole(&mut self, value: &TokenStream) -> bool {
        // The last `>` in `a << 2 >> 1` ends no type, so that the number after it is no second value.
        let is_expression = || syn::parse2::<syn::Expr>(value.clone()).is_ok();
        if let Some((first, second)) = parts::juxtaposed(value).filter(|_| !is_expression()) {
            let place: TokenStream = [first.clone(), second.clone()].into_iter().collect();
            let (code, text) = literal::apart(&first, &second).unwrap_or_else(|| {
                let text =
                    format!("expected an operator or a `,` between `{first}` and `{second}`");
                (Code::Grammar, text)
            });
            self.unreadable(code, place, text);
            return false;
        }
        match value.clone().into_iter().last() {
            Some(TokenTree::Punct(last)) if !matches!(last.as_char(), '?' | '>') => {
                self.unreadable(Code::Grammar, &last, format_args!("expected more after `{last}`"));
                false
            }
            _ => true,
        }
    }

    /// Refuses an expression over the fields of a state that is written as in a method.
    pub(crate) fn is_over_fields(&mut self, value: &TokenStream) -> bool {
        let mut tokens = value.clone().into_iter();
        let of_self =
            tokens.find(|token| matches!(token, TokenTree::Ident(word) if word == "self"));
        let Some(of_self) = of_self else { return self.has_known_parts(value) };
        let text = match (tokens.next(), tokens.next()) {
            (Some(_), Some(TokenTree::Ident(field))) => {
                format!("an expression names the fields of its state alone; write `{field}`")
            }
            _ => "an expression names the fields of its state alone, without `self`".to_owned(),
        };
        self.unreadable(Code::Grammar, of_self, text);
        false
    }

    /// Refuses what is more than arithmetic and calls, because its own arithmetic could not be checked.
    fn has_known_parts(&mut self, value: &TokenStream) -> bool {
        if ast::is_known(value) {
            return true;
        }
        let text = "an expression here has fields, constants, calls, `as` and arithmetic; \
                    put the rest into a function and call that";
        self.unreadable(Code::Grammar, value, text);
        false
    }

    pub(crate) fn size(&mut self, tokens: &TokenStream) -> Option<Size> {
        let size = literal::size(tokens);
        size.map_err(|(code, message)| self.unreadable(code, tokens, message)).ok()
    }

    /// A size, or an expression with its bound, such as `settings.line <= 4KiB`.
    pub(crate) fn bounded_size(&mut self, tokens: &TokenStream) -> Option<Size> {
        let Some((value, bound)) = marks::bounded(tokens) else {
            let of_settings = ast::settings(tokens).is_some();
            if of_settings {
                let written = spelling::tokens(tokens);
                let text = format!("nothing bounds this size; write `{written} <= 64KiB`");
                self.errors.at(Code::Unbounded, tokens, text);
                let bound = self.size(&quote::quote!(1))?;
                return Some(Size { text: written, of: Some(tokens.clone()), ..bound });
            }
            return self.size(tokens);
        };
        if !self.may_be_bounded(&value) {
            return None;
        }
        let bound = self.size(&bound)?;
        Some(Size { text: spelling::tokens(tokens), of: Some(value), ..bound })
    }

    /// Refuses what is no expression, or needs no bound.
    fn may_be_bounded(&mut self, value: &TokenStream) -> bool {
        if literal::is_literal(value) {
            let text = format!("a literal needs no bound; write `{value}`");
            self.errors.at(Code::NeedlessBound, value, text);
            return false;
        }
        self.is_whole(value) && self.is_over_fields(value)
    }

    /// A time, an expression with its bound, such as `settings.idle <= 1h`, or a path to a constant.
    /// `example` shows how to write an expression in its place.
    pub(crate) fn time(
        &mut self,
        tokens: &TokenStream,
        example: impl Fn(&TokenStream) -> String,
    ) -> Option<Time> {
        if let Some((value, bound)) = marks::bounded(tokens) {
            if !self.may_be_bounded(&value) {
                return None;
            }
            return Some(Time::Of { time: value, max: self.millis(&bound).unwrap_or(1) });
        }
        if literal::is_time(tokens) {
            return Some(Time::Fixed(self.millis(tokens).unwrap_or(1)));
        }
        if !self.is_whole(tokens) || !self.is_over_fields(tokens) {
            return None;
        }
        if syn::parse2::<syn::Path>(tokens.clone()).is_ok() {
            return Some(Time::Constant(tokens.clone()));
        }
        let text = format!("nothing bounds this time; write `{}`", example(tokens));
        self.errors.at(Code::Unbounded, tokens, text);
        Some(Time::Of { time: tokens.clone(), max: 1 })
    }

    pub(crate) fn millis(&mut self, tokens: &TokenStream) -> Option<u64> {
        if !self.is_whole(tokens) {
            return None;
        }
        let millis = literal::millis(tokens);
        millis.map_err(|(code, message)| self.errors.at(code, tokens, message)).ok()
    }

    /// Reads an edge such as `eof => State` into `edges`.
    pub(crate) fn event(&mut self, event: Event, entry: Entry, edges: &mut Edges) {
        if !self.is_first(&entry, "=>") {
            return;
        }
        if edges.on(event).is_some() {
            let (key, name) = (&entry.key, event.name());
            let text = format!("`{name}` leads elsewhere already; remove one of the two edges");
            self.errors.at(Code::Twice, key, text);
            return;
        }
        if entry.unreadable {
            self.incomplete = true;
        } else if event.is_timed() {
            self.deadline(event, entry, edges);
        } else {
            self.edge(event, entry, edges);
        }
    }

    /// Adds a finding that a key takes nothing in parentheses.
    pub(crate) fn no_parentheses(&mut self, entry: &Entry, of: &Group) {
        let (key, value) = (&entry.key, entry.value.clone().unwrap_or_default());
        let target =
            entry.target.as_ref().map(|target| format!(" => {target}")).unwrap_or_default();
        let text = if key == "within" {
            format!(
                "the time of a group stands on the machine; write `within{of} = {value}{target}` in \
                 `#[state_machine(..)]`"
            )
        } else {
            format!("`{key}` takes nothing in parentheses; write `{key} = {value}{target}`")
        };
        self.unreadable(Code::TooMuch, of, text);
    }

    pub(crate) fn deadline(&mut self, event: Event, entry: Entry, edges: &mut Edges) {
        let Entry { key, value, target, of, .. } = entry;
        let name = of.map_or_else(|| event.name().to_owned(), |of| format!("{}{of}", event.name()));
        let Some(time) = value.filter(|time| !time.is_empty()) else {
            let target = target.map_or_else(|| "State".to_owned(), |target| target.to_string());
            let text = format!("`{name}` lacks its time; write `{name} = 30s => {target}`");
            return self.unreadable(Code::ValueMissing, key, text);
        };
        match (is_never(&time), target) {
            (true, Some(target)) => {
                let text = format!("`never` leads nowhere; remove `=> {target}`");
                self.unreadable(Code::Never, target, text);
            }
            (true, None) if event == Event::Within => edges.never = Some(key),
            (true, None) => {
                let text = "`never` is for `within`; write `within = never`";
                self.unreadable(Code::Never, key, text);
            }
            (false, None) => {
                let text = format!("`{name} = {time}` leads nowhere; add `=> State`");
                self.unreadable(Code::LeadsNowhere, key, text);
            }
            (false, Some(target)) => {
                let example = |time: &TokenStream| format!("{name} = {time} <= 5min => {target}");
                // The edge exists even if its time cannot be read.
                let time = self.time(&time, example).unwrap_or(Time::Fixed(1));
                edges.events.push(EventEdge { event, key, time: Some(time), target });
            }
        }
    }

    fn edge(&mut self, event: Event, entry: Entry, edges: &mut Edges) {
        let name = event.name();
        let Entry { key, value, target, .. } = entry;
        match (value, target) {
            (value, Some(target)) => {
                if let Some(value) = value {
                    let text = format!("`{name}` has no value; write `{name} => {target}`");
                    self.errors.at(Code::TooMuch, value, text);
                }
                edges.events.push(EventEdge { event, key, time: None, target });
            }
            (Some(size), None) if event == Event::Limit && literal::is_number(&size) => {
                let text = format!("`limit` is an edge, and `max` the bound; write `max = {size}`");
                self.unreadable(Code::LeadsNowhere, key, text);
            }
            (value, None) => {
                let target = value.filter(|value| !value.is_empty());
                let target = target.map_or_else(|| "State".to_owned(), |value| value.to_string());
                let text = format!("`{name}` leads nowhere; write `{name} => {target}`");
                self.unreadable(Code::LeadsNowhere, key, text);
            }
        }
    }

    /// Adds a finding that the key of `entry` is none of `known`.
    pub(crate) fn unknown(&mut self, entry: &Entry, known: &[&'static str]) {
        let (key, name) = (&entry.key, self.name);
        let word = key.to_string();
        let value = entry.value.as_ref().map(ToString::to_string).filter(|value| !value.is_empty());
        let target = entry.target.as_ref().map(ToString::to_string);
        let remedy = if let Some(ours) = ON_STATES.iter().find(|ours| word == **ours) {
            let list = value.or(target).map(|list| format!("({list})")).unwrap_or_default();
            match name {
                "state_machine" => format!("`#[{ours}{list}]` is an attribute on a state"),
                "connect" if *ours == "to" => {
                    "the verdict that leads here carries the target `to`; remove this".to_owned()
                }
                _ => format!("write `#[{ours}{list}]` beside `#[{name}(..)]`"),
            }
        } else if let Some(meant) = words::for_key(&word, known) {
            let ours = words::written(meant, value.as_deref(), target.as_deref());
            format!("write `{ours}`")
        } else {
            match spelling::nearest(&word, known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("it takes {}", spelling::list(known)),
            }
        };
        self.unreadable(
            Code::UnknownKey,
            key,
            format_args!("unknown key `{key}` on `{name}`; {remedy}"),
        );
    }
}

fn is_never(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter();
    matches!(tokens.next(), Some(TokenTree::Ident(word)) if word == "never")
        && tokens.next().is_none()
}

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::marks::{self, is_mark, is_pair};
use super::{Parsed, literal, names};
use crate::ast::Event;
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// One comma-separated part of an attribute: `key`, `key = value`, `key => State`,
/// `key = value => State` or `key <= value`.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: Ident,
    /// Empty if only the `=` is there.
    pub(crate) value: Option<TokenStream>,
    pub(crate) target: Option<Ident>,
    /// The tokens in the parentheses after the key.
    pub(crate) of: Option<Group>,
    /// The sign is `<=` and not `=`.
    pub(crate) at_most: bool,
    /// Some of it could not be read, and a finding says so.
    pub(crate) unreadable: bool,
}

/// The keys whose value is a type.
const TYPED: [&str; 7] = ["frame", "error", "message", "job", "reply", "seed", "settings"];

/// Reads the entries of an attribute.
pub(crate) fn entries(parts: &[Vec<TokenTree>], errors: &mut Errors) -> Parsed<Vec<Entry>> {
    let entries: Vec<Option<Entry>> = parts.iter().map(|part| Entry::parse(part, errors)).collect();
    let complete =
        entries.iter().all(|entry| entry.as_ref().is_some_and(|entry| !entry.unreadable));
    Parsed { value: entries.into_iter().flatten().collect(), complete }
}

/// Splits at commas, but not between `<` and `>` in types: anywhere with `types`, otherwise in the
/// value of a key that takes one, and after `::` or at the start of a value.
pub(crate) fn split(tokens: TokenStream, types: bool) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    let mut depth = 0_usize;
    let mut before = ' ';
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let part: &mut Vec<TokenTree> = match parts.last_mut() {
            Some(part) => part,
            None => break,
        };
        let mark = match &token {
            TokenTree::Punct(mark) => mark.as_char(),
            _ => ' ',
        };
        let takes_type = || {
            types
                || matches!(&part[..], [TokenTree::Ident(key), TokenTree::Punct(equals), ..]
                if equals.as_char() == '=' && TYPED.iter().any(|name| key == name))
        };
        // No type has a `<=`, which stands before the bound of an expression.
        let bounds = mark == '<' && tokens.peek().is_some_and(|next| is_mark(next, '='));
        match mark {
            '<' if bounds => {}
            '<' if depth > 0 || matches!(before, ':' | '=') || takes_type() => depth += 1,
            '>' if before != '-' && before != '=' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = mark;
        if mark == ',' && depth == 0 {
            parts.push(Vec::new());
        } else {
            part.push(token);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The keys with a value alone. `max` has an edge, too, but not without its value.
const VALUED: [&str; 14] = [
    "start", "message", "settings", "job", "reply", "seed", "module", "size", "max", "exact",
    "until", "upto", "peek", "below",
];

impl Entry {
    /// Whether its value is an expression with its bound.
    pub(crate) fn is_bounded(&self) -> bool {
        self.value.as_ref().is_some_and(|value| marks::bounded(value).is_some())
    }

    fn parse(part: &[TokenTree], errors: &mut Errors) -> Option<Self> {
        let arrow = arrow(part, errors);
        let (head, tail) = part.split_at(arrow.unwrap_or(part.len()));
        let Some(TokenTree::Ident(key)) = head.first().cloned() else {
            let place: TokenStream = part.iter().cloned().collect();
            let state = tail.get(2).map_or_else(|| "State".to_owned(), ToString::to_string);
            let value: TokenStream = head.iter().cloned().collect();
            let text = if literal::is_number(&value) && literal::millis(&value).is_ok() {
                format!("a time needs its key; write `within = {value} => {state}`")
            } else if literal::is_number(&value) && tail.is_empty() {
                format!("a size needs its key, such as `max = {value}`")
            } else {
                "expected a key such as `max = 64KiB` or `eof => State`".to_owned()
            };
            errors.at(Code::Grammar, place, text);
            return None;
        };
        let mut entry =
            Self { key, value: None, target: None, of: None, at_most: false, unreadable: false };
        let mut rest = &head[1..];
        if let [TokenTree::Group(group), behind @ ..] = rest {
            let is_list = group.delimiter() == Delimiter::Parenthesis;
            if is_list && behind.first().is_some_and(|equals| is_mark(equals, '=')) {
                (entry.of, rest) = (Some(group.clone()), behind);
            }
        }
        entry.value(rest, tail, errors);
        entry.target(tail, errors);
        Some(entry)
    }

    fn value(&mut self, tokens: &[TokenTree], tail: &[TokenTree], errors: &mut Errors) {
        let is_odd = |value: &[TokenTree]| {
            value.first().is_some_and(|first| is_mark(first, '=') || is_mark(first, '>'))
        };
        self.value = match tokens {
            [] => None,
            [equals, value @ ..] if is_mark(equals, '=') && !is_odd(value) => {
                Some(value.iter().cloned().collect())
            }
            [less, equals, value @ ..]
                if is_mark(less, '<') && is_mark(equals, '=') && !is_odd(value) =>
            {
                self.at_most = true;
                Some(value.iter().cloned().collect())
            }
            other => {
                self.no_sign(other, tail, errors);
                self.unreadable = true;
                None
            }
        };
    }

    /// Adds a finding that no known sign is between the key and its value.
    fn no_sign(&self, tokens: &[TokenTree], tail: &[TokenTree], errors: &mut Errors) {
        let key = self.key.to_string();
        let is_sign = |token: &&TokenTree| matches!(token, TokenTree::Punct(_));
        let sign: Vec<TokenTree> = tokens.iter().take_while(is_sign).cloned().collect();
        let (place, value) = match &tokens[sign.len()..] {
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
                (tokens.to_vec(), group.stream())
            }
            value if sign.is_empty() => (tokens.to_vec(), value.iter().cloned().collect()),
            value => (sign, value.iter().cloned().collect()),
        };
        let event = Event::named(&key);
        let right = match event {
            _ if key == "size" => "<=",
            Some(event) if !event.is_timed() && tail.is_empty() => "=>",
            _ => "=",
        };
        let text = if value.is_empty() {
            format!("expected `=`, `=>` or `,` after `{key}`")
        } else {
            let target = tail.get(2).map(|state| format!(" => {state}")).unwrap_or_default();
            format!("expected `{right}` after `{key}`; write `{key} {right} {value}{target}`")
        };
        errors.at(Code::Grammar, place.into_iter().collect::<TokenStream>(), text);
    }

    /// Whether its key is one that has a value and leads nowhere.
    fn has_value(&self) -> bool {
        let key = self.key.to_string();
        !self.unreadable && VALUED.contains(&key.as_str())
    }

    fn target(&mut self, tokens: &[TokenTree], errors: &mut Errors) {
        match tokens {
            [] | [_] => return,
            [_, _] => {
                let text = format!("`{} =>` lacks the state that it leads to", self.key);
                errors.at(Code::ValueMissing, &self.key, text);
            }
            [first, second, written @ ..] if self.value.is_none() && self.has_value() => {
                let (key, value) = (&self.key, written.iter().cloned().collect::<TokenStream>());
                let equals = if key == "size" { "<=" } else { "=" };
                let value = spelling::tokens(&value);
                let text = format!("`{key}` is no edge; write `{key} {equals} {value}`");
                let place: TokenStream = [first.clone(), second.clone()].into_iter().collect();
                errors.at(Code::Grammar, place, text);
            }
            [_, _, written @ ..] => {
                self.target = names::one(written, errors);
                if self.target.is_some() {
                    return;
                }
            }
        }
        self.unreadable = true;
    }
}

/// The position of the `=>`; a `->` in its place is a finding.
fn arrow(part: &[TokenTree], errors: &mut Errors) -> Option<usize> {
    let at = |marks: &str| (0..part.len()).find(|at| is_pair(&part[*at..], marks));
    at("=>").or_else(|| {
        let typed = matches!(part, [TokenTree::Ident(key), equals, ..]
            if is_mark(equals, '=') && TYPED.iter().any(|name| key == name));
        let at = at("->").filter(|at| *at > 0 && !typed)?;
        let place: TokenStream = part[at..].iter().take(2).cloned().collect();
        errors.at(Code::Grammar, place, "an edge has `=>`; write `=>` for `->`");
        Some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `key[=value][=>target]` for each part, then the messages.
    fn read(text: &str) -> Vec<String> {
        let mut errors = Errors::default();
        let entries = entries(&split(text.parse().unwrap(), false), &mut errors);
        let mut read: Vec<String> = entries
            .value
            .iter()
            .map(|entry| {
                let sign = if entry.at_most { "<=" } else { "=" };
                let value = entry.value.as_ref().map(|value| format!("{sign}{value}"));
                let target = entry.target.as_ref().map(|target| format!("=>{target}"));
                [Some(entry.key.to_string()), value, target].into_iter().flatten().collect()
            })
            .collect();
        assert!(entries.complete || !errors.is_empty(), "{text}");
        read.extend(errors.messages());
        read
    }

    #[test]
    fn parts_are_cut_at_commas() {
        for (text, parts) in [
            ("", &[][..]),
            ("some, max = 64KiB,", &["some", "max=64KiB"]),
            ("within = 30s => Closed, eof => Gone", &["within=30s=>Closed", "eof=>Gone"]),
            ("crate = ::a::b", &["crate=:: a :: b"]),
            ("frame = T<A, B>, max = 1", &["frame=T < A , B >", "max=1"]),
            ("error = fn(A) -> B<C, D>, eof => E", &["error=fn (A) -> B < C , D >", "eof=>E"]),
            ("exact = f(a, b) + 1", &["exact=f (a , b) + 1"]),
            ("size <= 64, start = A", &["size<=64", "start=A"]),
            ("upto = if a <= b { a } else { b }", &["upto=if a <= b { a } else { b }"]),
        ] {
            assert_eq!(read(text), parts, "{text}");
        }
    }

    #[test]
    fn a_bound_is_no_list_of_types() {
        let text = "Find<A, B>, within = settings.patience <= 1min => Late, gone => Gone";
        let parts: Vec<_> = split(text.parse().unwrap(), true)
            .into_iter()
            .map(|part| part.into_iter().collect::<TokenStream>().to_string())
            .collect();
        assert_eq!(
            parts,
            ["Find < A , B >", "within = settings . patience <= 1min => Late", "gone => Gone"]
        );
    }

    #[test]
    fn a_bad_part_does_not_hide_the_others() {
        for (text, parts) in [
            ("max < 64, some", &["max", "some", "expected `=` after `max`; write `max = 64`"][..]),
            ("size < 64", &["size", "expected `<=` after `size`; write `size <= 64`"]),
            ("max: 64", &["max", "expected `=` after `max`; write `max = 64`"]),
            ("max == 64", &["max", "expected `=` after `max`; write `max = 64`"]),
            ("max(64)", &["max", "expected `=` after `max`; write `max = 64`"]),
            ("eof Gone", &["eof", "expected `=>` after `eof`; write `eof => Gone`"]),
            ("eof >= Gone", &["eof", "expected `=>` after `eof`; write `eof => Gone`"]),
            ("eof -> Gone", &["eof=>Gone", "an edge has `=>`; write `=>` for `->`"]),
            ("eof => Self::Gone", &["eof=>Gone"]),
            ("eof =>", &["eof", "`eof =>` lacks the state that it leads to"]),
            ("eof => a::B", &["eof", "a state is named alone; write `B`"]),
            ("eof => A | B", &["eof", "an edge leads to one state; write `A` or another"]),
            ("eof => 5", &["eof", "expected the name of one state"]),
            ("max => 1KiB", &["max", "`max` is no edge; write `max = 1KiB`"]),
            ("size => 64", &["size", "`size` is no edge; write `size <= 64`"]),
            ("start => A, eof => B", &["start", "eof=>B", "`start` is no edge; write `start = A`"]),
            ("eof => final", &["eof", "`final` is a word of Rust, and names no state"]),
            ("max 64", &["max", "expected `=` after `max`; write `max = 64`"]),
            ("8, some", &["some", "a size needs its key, such as `max = 8`"]),
            ("5s => A", &["a time needs its key; write `within = 5s => A`"]),
            ("=> A", &["expected a key such as `max = 64KiB` or `eof => State`"]),
        ] {
            assert_eq!(read(text), parts, "{text}");
        }
    }
}

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};

use super::{Parsed, attribute};
use crate::code::Code;
use crate::errors::Errors;

/// One comma-separated part of an attribute: `key`, `key = value`, `key => State`,
/// `key = value => State` or `key <= value`.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    /// Empty if only the `=` is there.
    pub(crate) value: Option<TokenStream>,
    pub(crate) target: Option<Ident>,
    /// The sign is `<=` and not `=`.
    pub(crate) at_most: bool,
    /// Some of it could not be read, and a finding says so.
    pub(crate) unreadable: bool,
}

/// The keys whose value is a type.
const TYPED: [&str; 6] = ["frame", "error", "message", "job", "reply", "seed"];

/// Reads the entries of an attribute.
pub(crate) fn entries(parts: &[Vec<TokenTree>], errors: &mut Errors) -> Parsed<Vec<Entry>> {
    let entries: Vec<Option<Entry>> = parts.iter().map(|part| Entry::parse(part, errors)).collect();
    let complete =
        entries.iter().all(|entry| entry.as_ref().is_some_and(|entry| !entry.unreadable));
    Parsed { value: entries.into_iter().flatten().collect(), complete }
}

/// Splits at commas, but not between `<` and `>` in types: anywhere with `types`, otherwise in the
/// value of a key that takes one.
pub(crate) fn split(tokens: TokenStream, types: bool) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    let mut depth = 0_usize;
    let mut before = ' ';
    for token in tokens {
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
        match mark {
            '<' if takes_type() => depth += 1,
            '>' if takes_type() && before != '-' && before != '=' => {
                depth = depth.saturating_sub(1);
            }
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

impl Entry {
    fn parse(part: &[TokenTree], errors: &mut Errors) -> Option<Self> {
        let arrow = arrow(part);
        let (head, tail) = part.split_at(arrow.unwrap_or(part.len()));
        let Some(TokenTree::Ident(key)) = head.first().cloned() else {
            let place: TokenStream = part.iter().cloned().collect();
            let text = "expected a key such as `max = 64KiB` or `eof => State`";
            errors.at(Code::Grammar, place, text);
            return None;
        };
        let mut entry = Self { key, value: None, target: None, at_most: false, unreadable: false };
        entry.value(&head[1..], errors);
        entry.target(tail, errors);
        Some(entry)
    }

    fn value(&mut self, tokens: &[TokenTree], errors: &mut Errors) {
        let mark = |token: &TokenTree, expected: char| matches!(token, TokenTree::Punct(mark) if mark.as_char() == expected);
        self.value = match tokens {
            [] => None,
            [equals, value @ ..] if mark(equals, '=') => Some(value.iter().cloned().collect()),
            [less, equals, value @ ..] if mark(less, '<') && mark(equals, '=') => {
                self.at_most = true;
                Some(value.iter().cloned().collect())
            }
            other => {
                let place: TokenStream = other.iter().cloned().collect();
                let text = format!("expected `=`, `=>` or `,` after `{}`", self.key);
                errors.at(Code::Grammar, place, text);
                self.unreadable = true;
                None
            }
        };
    }

    fn target(&mut self, tokens: &[TokenTree], errors: &mut Errors) {
        match tokens {
            [_, _, TokenTree::Ident(target)] if attribute::is_name(target) => {
                self.target = Some(target.clone());
                return;
            }
            [] | [_] => return,
            [_, _] => {
                let text = format!("`{} =>` lacks the state that it leads to", self.key);
                errors.at(Code::ValueMissing, &self.key, text);
            }
            [_, _, TokenTree::Ident(word)] => reserved(word, errors),
            [_, _, other @ ..] => {
                let place: TokenStream = other.iter().cloned().collect();
                errors.at(Code::Grammar, place, "expected the name of one state");
            }
        }
        self.unreadable = true;
    }
}

/// Adds a finding that the reserved `word` names no state.
pub(crate) fn reserved(word: &Ident, errors: &mut Errors) {
    let text = format!("`{word}` is a word of Rust, and names no state");
    errors.at(Code::ReservedWord, word, text);
}

/// The position of the `=>`.
fn arrow(part: &[TokenTree]) -> Option<usize> {
    part.windows(2).position(|pair| match pair {
        [TokenTree::Punct(equals), TokenTree::Punct(greater)] => {
            equals.as_char() == '='
                && equals.spacing() == Spacing::Joint
                && greater.as_char() == '>'
        }
        _ => false,
    })
}

/// Reads the names in `A | B | C`.
pub(crate) fn names(tokens: TokenStream, errors: &mut Errors) -> Parsed<Vec<Ident>> {
    let mut names = Vec::new();
    let mut complete = true;
    let mut name_is_next = true;
    let mut last_bar = None;
    for token in tokens {
        match token {
            TokenTree::Ident(name) if name_is_next => {
                name_is_next = false;
                if attribute::is_name(&name) {
                    names.push(name);
                } else {
                    reserved(&name, errors);
                    complete = false;
                }
            }
            TokenTree::Punct(bar) if bar.as_char() == '|' && !name_is_next => {
                name_is_next = true;
                last_bar = Some(bar);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                let inner = self::names(group.stream(), errors);
                names.extend(inner.value);
                complete &= inner.complete;
                name_is_next = false;
            }
            other => {
                let text = "expected the names of states, with `|` between them";
                errors.at(Code::Grammar, other, text);
                return Parsed { value: names, complete: false };
            }
        }
    }
    if let Some(bar) = last_bar.filter(|_| name_is_next) {
        errors.at(Code::Grammar, bar, "expected the name of a state after `|`");
        complete = false;
    }
    Parsed { value: names, complete }
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
        assert_eq!(entries.complete, errors.is_empty(), "{text}");
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
    fn a_bad_part_does_not_hide_the_others() {
        for (text, parts) in [
            ("max < 64, some", &["max", "some", "expected `=`, `=>` or `,` after `max`"][..]),
            ("eof =>", &["eof", "`eof =>` lacks the state that it leads to"]),
            ("eof => a::B", &["eof", "expected the name of one state"]),
            ("eof => final", &["eof", "`final` is a word of Rust, and names no state"]),
            ("max 64", &["max", "expected `=`, `=>` or `,` after `max`"]),
            ("8, some", &["some", "expected a key such as `max = 64KiB` or `eof => State`"]),
        ] {
            assert_eq!(read(text), parts, "{text}");
        }
    }

    #[test]
    fn names_have_bars_between_them() {
        let read = |text: &str| {
            let mut errors = Errors::default();
            let names = names(text.parse().unwrap(), &mut errors);
            assert_eq!(names.complete, errors.is_empty());
            names.value.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(read("A | B | C"), ["A", "B", "C"]);
        assert_eq!(read("A |"), ["A"]);
        assert_eq!(read("A, B"), ["A"]);
        assert_eq!(read("A | final | r#final | B"), ["A", "r#final", "B"]);
    }
}

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use super::marks::{is_mark, is_pair};
use super::{Parsed, attribute};
use crate::code::Code;
use crate::errors::Errors;

/// Reads the names in `A | B | C`, which may have a bar before the first.
pub(crate) fn names(tokens: TokenStream, errors: &mut Errors) -> Parsed<Vec<Ident>> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut left = &tokens[..];
    if left.first().is_some_and(|first| is_mark(first, '|')) && !is_pair(left, "||") {
        left = &left[1..];
    }
    let mut read = Parsed { value: Vec::new(), complete: true };
    while let Some(after) = name(left, &mut read, errors) {
        left = match after {
            [] => return read,
            [bar] if is_mark(bar, '|') => {
                errors.at(Code::Grammar, bar, "expected the name of a state after `|`");
                break;
            }
            [bar, rest @ ..] if is_mark(bar, '|') && !is_pair(after, "||") => rest,
            other => {
                let place: TokenStream =
                    other.iter().take(if is_pair(other, "||") { 2 } else { 1 }).cloned().collect();
                let text = match &other[0] {
                    TokenTree::Punct(_) => {
                        format!("states have `|` between them; write `|` for `{place}`")
                    }
                    TokenTree::Group(data) if data.delimiter() != Delimiter::Bracket => {
                        "a state is named alone, and its verdict has its data; remove this"
                            .to_owned()
                    }
                    _ => "expected the names of states, with `|` between them".to_owned(),
                };
                errors.at(Code::Grammar, place, text);
                break;
            }
        };
    }
    read.complete = false;
    read
}

/// Reads one name that is first in `tokens`, and returns what is after it.
fn name<'a>(
    tokens: &'a [TokenTree],
    read: &mut Parsed<Vec<Ident>>,
    errors: &mut Errors,
) -> Option<&'a [TokenTree]> {
    match tokens {
        [] => Some(tokens),
        [TokenTree::Group(group), rest @ ..] if group.delimiter() == Delimiter::None => {
            let inner = names(group.stream(), errors);
            read.value.extend(inner.value);
            read.complete &= inner.complete;
            Some(rest)
        }
        _ => {
            let length = path(tokens);
            let Some((name, complete)) = alone(&tokens[..length], errors) else {
                let place = tokens.first();
                let text = match place.and_then(quoted) {
                    Some(name) => format!("a state has no quotes; write `{name}`"),
                    None => "expected the names of states, with `|` between them".to_owned(),
                };
                errors.at(Code::Grammar, place, text);
                return None;
            };
            read.value.extend(name);
            read.complete &= complete;
            Some(&tokens[length..])
        }
    }
}

/// Reads the name of one state.
pub(crate) fn one(tokens: &[TokenTree], errors: &mut Errors) -> Option<Ident> {
    let (path, rest) = tokens.split_at(path(tokens));
    if let ([TokenTree::Ident(first)], [bar, ..]) = (path, rest) {
        if is_mark(bar, '|') {
            let text = format!("an edge leads to one state; write `{first}` or another");
            errors.at(Code::Grammar, tokens.iter().cloned().collect::<TokenStream>(), text);
            return None;
        }
    }
    if path.is_empty() || !rest.is_empty() {
        let place: TokenStream = tokens.iter().cloned().collect();
        let text = match tokens {
            [name] => quoted(name).map(|name| format!("a state has no quotes; write `{name}`")),
            _ => None,
        };
        let text = text.unwrap_or_else(|| "expected the name of one state".to_owned());
        errors.at(Code::Grammar, place, text);
        return None;
    }
    let (name, complete) = alone(path, errors)?;
    name.filter(|_| complete)
}

/// The name in a string.
fn quoted(token: &TokenTree) -> Option<String> {
    let text: syn::LitStr = syn::parse2(token.clone().into()).ok()?;
    syn::parse_str::<Ident>(&text.value()).is_ok().then(|| text.value())
}

/// The name at the end of a path, and whether it is read without a finding.
fn alone(path: &[TokenTree], errors: &mut Errors) -> Option<(Option<Ident>, bool)> {
    let Some(TokenTree::Ident(name)) = path.last() else { return None };
    if !attribute::is_name(name) {
        reserved(name, errors);
        return Some((None, false));
    }
    let alone = match path {
        [_] => true,
        [TokenTree::Ident(first), _, _, _] => first == "Self",
        _ => false,
    };
    if !alone {
        let place: TokenStream = path.iter().cloned().collect();
        errors.at(Code::Grammar, place, format!("a state is named alone; write `{name}`"));
    }
    Some((Some(name.clone()), alone))
}

/// The number of tokens of the path that is first in `tokens`.
fn path(tokens: &[TokenTree]) -> usize {
    let mut length = 0;
    while let Some(TokenTree::Ident(_)) = tokens.get(length) {
        length += 1;
        match tokens.get(length..length + 3) {
            Some([_, _, TokenTree::Ident(_)]) if is_pair(&tokens[length..], "::") => length += 2,
            _ => break,
        }
    }
    length
}

/// Adds a finding that the reserved `word` names no state.
pub(crate) fn reserved(word: &Ident, errors: &mut Errors) {
    let text = format!("`{word}` is a word of Rust, and names no state");
    errors.at(Code::ReservedWord, word, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mut errors = Errors::default();
        let names = names(text.parse().unwrap(), &mut errors);
        assert_eq!(names.complete, errors.is_empty(), "{text}");
        names.value.iter().map(ToString::to_string).chain(errors.messages()).collect()
    }

    #[test]
    fn names_have_bars_between_them() {
        for (text, expected) in [
            ("A | B | C", &["A", "B", "C"][..]),
            ("| A | B", &["A", "B"]),
            ("Self::A | B", &["A", "B"]),
            ("A |", &["A", "expected the name of a state after `|`"]),
            ("A, B", &["A", "states have `|` between them; write `|` for `,`"]),
            ("A || B", &["A", "states have `|` between them; write `|` for `||`"]),
            ("A B", &["A", "expected the names of states, with `|` between them"]),
            ("Talk::A | B", &["A", "B", "a state is named alone; write `A`"]),
            (
                "A | final | r#final | B",
                &["A", "r#final", "B", "`final` is a word of Rust, and names no state"],
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::marks::{is_mark, is_pair};
use super::{entry, literal};
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// Splits the arguments of an attribute as [`entry::split`] does. A missing comma, or a `;` in its
/// place, is a finding, and separates its parts all the same.
pub(crate) fn parts(tokens: TokenStream, types: bool, errors: &mut Errors) -> Vec<Vec<TokenTree>> {
    let mut parts = Vec::new();
    for written in entry::split(tokens, types) {
        let mut part: Vec<TokenTree> = Vec::new();
        for (at, token) in written.iter().enumerate() {
            if is_mark(token, ';') {
                errors.at(Code::Grammar, token, "`;` separates nothing here; write `,`");
                parts.push(std::mem::take(&mut part));
                continue;
            }
            let unit = part.last().is_some_and(|last| literal::apart(last, token).is_some());
            if !unit && is_end(&part) && begins_entry(&written[at..]) {
                if let Some(before) = part.last() {
                    let text = format!(
                        "a `,` is missing before `{token}`; write `{}, {token}`",
                        word(before)
                    );
                    errors.at(Code::Grammar, token, text);
                }
                parts.push(std::mem::take(&mut part));
            }
            part.push(token.clone());
        }
        parts.push(part);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The value and the target of `30s => State`.
pub(crate) fn edge(tokens: &TokenStream) -> Option<(TokenStream, TokenStream)> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let at = tokens.windows(2).position(|pair| is_pair(pair, "=>"))?;
    let of = |part: &[TokenTree]| part.iter().cloned().collect();
    Some((of(&tokens[..at]), of(&tokens[at + 2..])))
}

/// The two tokens between which an operator is missing.
pub(crate) fn juxtaposed(value: &TokenStream) -> Option<(TokenTree, TokenTree)> {
    let tokens: Vec<TokenTree> = value.clone().into_iter().collect();
    (1..tokens.len()).find_map(|at| {
        let next = &tokens[at];
        let begins = match next {
            TokenTree::Ident(word) => is_operand(&word.to_string()),
            TokenTree::Literal(_) => true,
            _ => false,
        };
        (begins && is_end(&tokens[..at])).then(|| (tokens[at - 1].clone(), next.clone()))
    })
}

/// Whether an operand may end after `tokens`.
fn is_end(tokens: &[TokenTree]) -> bool {
    match tokens.last() {
        Some(TokenTree::Ident(word)) => is_operand(&word.to_string()),
        Some(TokenTree::Literal(_) | TokenTree::Group(_)) => true,
        Some(TokenTree::Punct(mark)) if mark.as_char() == '>' => {
            let arrow = tokens.len().checked_sub(2).map(|at| &tokens[at..]);
            let closes = arrow.is_some_and(|arrow| !is_pair(arrow, "=>") && !is_pair(arrow, "->"));
            // It closes a list of types, and otherwise is an operator.
            let count = |sign| tokens.iter().filter(|token| is_mark(token, sign)).count();
            closes && count('<') >= count('>')
        }
        Some(TokenTree::Punct(mark)) => mark.as_char() == '?',
        None => false,
    }
}

/// Whether a word is an operand and no part of Rust's syntax.
fn is_operand(word: &str) -> bool {
    !spelling::is_keyword(word) || matches!(word, "self" | "Self" | "true" | "false")
}

/// Whether a key is first, with its sign, or a key that needs none.
fn begins_entry(tokens: &[TokenTree]) -> bool {
    let [TokenTree::Ident(key), rest @ ..] = tokens else { return false };
    match rest {
        [] => key == "some" || key == "datagram" || key == "blocking",
        [sign, ..] => {
            (is_mark(sign, '=') && !is_pair(rest, "=="))
                || is_pair(rest, "->")
                || is_pair(rest, "<=")
        }
    }
}

/// A token as text, and a group as its brackets.
fn word(token: &TokenTree) -> String {
    match token {
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Brace => "}".to_owned(),
            Delimiter::Bracket => "]".to_owned(),
            Delimiter::Parenthesis => ")".to_owned(),
            Delimiter::None => group.to_string(),
        },
        token => token.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mut errors = Errors::default();
        let parts = parts(text.parse().unwrap(), false, &mut errors);
        let text = |part: Vec<TokenTree>| part.into_iter().collect::<TokenStream>().to_string();
        parts.into_iter().map(text).chain(errors.messages()).collect()
    }

    #[test]
    fn a_missing_comma_is_said_and_separates_all_the_same() {
        for (text, expected) in [
            (
                "until = b\"x\" max = 1KiB",
                &[
                    "until = b\"x\"",
                    "max = 1KiB",
                    "a `,` is missing before `max`; write `b\"x\", max`",
                ][..],
            ),
            (
                "some max = f(1) eof => A",
                &[
                    "some",
                    "max = f (1)",
                    "eof => A",
                    "a `,` is missing before `max`; write `some, max`",
                    "a `,` is missing before `eof`; write `), eof`",
                ],
            ),
            (
                "error = Fault<u8> eof => A",
                &[
                    "error = Fault < u8 >",
                    "eof => A",
                    "a `,` is missing before `eof`; write `>, eof`",
                ],
            ),
            ("some; max = 1", &["some", "max = 1", "`;` separates nothing here; write `,`"]),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn expressions_stay_whole() {
        for text in [
            "upto = if a <= b { a } else { b }",
            "exact = left as usize",
            "exact = left >> 2",
            "exact = if left > 9 { 9 } else { left }",
            "upto = * left == 2",
            "eof => A",
            "exact = pick :: < u8 , u16 > ()",
            "exact = < A as B < u8 , u16 > > :: C",
        ] {
            assert_eq!(read(text), [text]);
        }
    }
}

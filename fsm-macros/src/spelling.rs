use std::fmt::Display;

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;

/// `TooLong` as `too_long`, `HTTPHead` as `http_head`.
pub(crate) fn snake_case(name: &Ident) -> String {
    let letters: Vec<char> = name.unraw().to_string().chars().collect();
    let mut text = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let ends_a_word = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins_a_word = match before {
            Some('_') | None => false,
            Some(before) => letter.is_uppercase() && (!before.is_uppercase() || ends_a_word),
        };
        if begins_a_word {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// The name of the method that handles `state`; `None` if no method can have it.
pub(crate) fn handler_name(state: &Ident) -> Option<Ident> {
    identifier(&snake_case(state), state.span())
}

/// The name of the method for a wait of `state` beside the main one, such as `room_tick`.
pub(crate) fn handler_beside(state: &Ident, wait: &Ident) -> Option<Ident> {
    identifier(&format!("{}_{}", snake_case(state), wait.unraw()), state.span())
}

/// The name of the enum of the verdicts of `state`.
pub(crate) fn after_name(state: &Ident) -> Ident {
    quote::format_ident!("After{}", state)
}

/// A type with the usual spaces.
pub(crate) fn tokens(ty: &TokenStream) -> String {
    let mut text = String::new();
    let (mut last, mut before) = (' ', ' ');
    for token in ty.clone() {
        let token = match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                format!("{open}{}{close}", tokens(&group.stream()))
            }
            token => token.to_string(),
        };
        let Some(first) = token.chars().next() else { continue };
        let is_arrow = (before, last) == ('-', '>');
        let apart = match (last, first) {
            (' ', _) | ('-', '>') => false,
            (',' | ';' | '+' | '=', _) | (_, '-' | '+' | '=') => true,
            ('>', next) => is_arrow || is_word(next),
            (last, next) => is_word(last) && (is_word(next) || next == '\''),
        };
        if apart {
            text.push(' ');
        }
        text.push_str(&token);
        before = last;
        last = token.chars().last().unwrap_or(' ');
    }
    text
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '"')
}

/// `text` as a name, raw if it is a keyword; `None` for the four that cannot be raw.
pub(crate) fn identifier(text: &str, span: Span) -> Option<Ident> {
    match text {
        "" | "_" | "self" | "super" | "crate" | "Self" => None,
        // A keyword since the edition 2024; the raw name is the same in all editions.
        "gen" => Some(Ident::new_raw(text, span)),
        _ if is_keyword(text) => Some(Ident::new_raw(text, span)),
        _ => Some(Ident::new(text, span)),
    }
}

/// Whether nothing can have this name, unless it is raw.
pub(crate) fn is_keyword(text: &str) -> bool {
    matches!(
        text,
        "_" | "abstract"
            | "as"
            | "async"
            | "await"
            | "become"
            | "box"
            | "break"
            | "const"
            | "continue"
            | "crate"
            | "do"
            | "dyn"
            | "else"
            | "enum"
            | "extern"
            | "false"
            | "final"
            | "fn"
            | "for"
            | "if"
            | "impl"
            | "in"
            | "let"
            | "loop"
            | "macro"
            | "match"
            | "mod"
            | "move"
            | "mut"
            | "override"
            | "priv"
            | "pub"
            | "ref"
            | "return"
            | "Self"
            | "self"
            | "static"
            | "struct"
            | "super"
            | "trait"
            | "true"
            | "try"
            | "type"
            | "typeof"
            | "unsafe"
            | "unsized"
            | "use"
            | "virtual"
            | "where"
            | "while"
            | "yield"
    )
}

/// The name in `known` of which `name` is probably a typo, or the beginning.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let mut longer = known.iter().filter(|known| name.len() > 2 && known.starts_with(name));
    if let (Some(longer), None) = (longer.next(), longer.next()) {
        return Some(longer);
    }
    let (near, distance) = known
        .iter()
        .map(|known| (*known, distance(name, known)))
        .min_by_key(|(_, distance)| *distance)?;
    let tolerated = (name.chars().count().min(near.chars().count()) / 3).clamp(1, 3);
    (distance <= tolerated && near.chars().count() > 1).then_some(near)
}

/// The number of letters that are added, missing, wrong, or swapped with the next.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let wrong = usize::from(a[i - 1] != b[j - 1]);
                let mut least = (rows[i - 1][j - 1] + wrong).min(rows[i - 1][j] + 1);
                least = least.min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn list<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    join(names, "and")
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn choice<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    join(names, "or")
}

fn join<T: Display>(names: impl IntoIterator<Item = T>, word: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {word} {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Ident {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn states_name_their_handlers() {
        for (state, handler) in [
            ("Length", "length"),
            ("TooLong", "too_long"),
            ("HTTPHead", "http_head"),
            ("Step2", "step2"),
            ("V2Head", "v2_head"),
            ("Read_Body", "read_body"),
            ("r#Type", "type"),
            ("Émis", "émis"),
        ] {
            assert_eq!(snake_case(&name(state)), handler);
        }
    }

    #[test]
    fn keywords_become_raw() {
        let text = |text| identifier(text, Span::call_site()).map(|name| name.to_string());
        assert_eq!(text("type").as_deref(), Some("r#type"));
        assert_eq!(text("gen").as_deref(), Some("r#gen"));
        assert_eq!(text("body").as_deref(), Some("body"));
        assert_eq!(text("super"), None);
    }

    #[test]
    fn typos_are_recognised() {
        let known = ["within", "idle", "eof", "limit", "error", "max"];
        for (typo, meant) in [
            ("withn", Some("within")),
            ("iddle", Some("idle")),
            ("efo", Some("eof")),
            ("limits", Some("limit")),
            ("err", Some("error")),
            ("timeout", None),
            ("x", None),
        ] {
            assert_eq!(nearest(typo, &known), meant, "{typo}");
        }
    }

    #[test]
    fn types_read_as_they_are_written() {
        for ty in [
            "Index",
            "a::Index",
            "::a::Index",
            "Index<a::B, [u8; 3]>",
            "<A as B<C>>::D",
            "Index<Vec<u8>>",
            "Index<&'static str, (u8, u8)>",
            "Index<dyn Fn(u8) -> u8 + Send>",
            "<Index<A> as B<C = D>>::E",
            "for<'a> fn(&'a mut u8, *const u8) -> ()",
            "&'a dyn A",
        ] {
            assert_eq!(tokens(&ty.parse().unwrap()), ty);
        }
    }

    #[test]
    fn names_are_listed() {
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(choice(["a", "b"]), "`a` or `b`");
    }
}

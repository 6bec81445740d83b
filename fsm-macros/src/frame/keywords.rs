use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::parse::ATTRIBUTES;
use crate::parse::{marks, parts};

/// The keys of `#[frame(..)]`.
const KEYS: [&str; 5] = ["le", "tag", "line", "max", "ignore_case"];

/// The keywords of a frame, for which an editor shows docs.
pub(crate) fn keywords(args: &TokenStream, item: &TokenStream) -> Vec<Ident> {
    let mut found = Vec::new();
    for part in parts::parts(args.clone(), false, &mut crate::errors::Errors::default()) {
        match part.first() {
            Some(TokenTree::Ident(key)) if KEYS.iter().any(|known| key == known) => {
                found.push(key.clone());
            }
            _ => {}
        }
    }
    attributes(item, &mut found);
    found
}

/// Adds the names of the macro's attributes on variants and fields.
fn attributes(tokens: &TokenStream, found: &mut Vec<Ident>) {
    let mut after_pound = false;
    for token in tokens.clone() {
        if let TokenTree::Group(group) = &token {
            match group.delimiter() {
                Delimiter::Bracket if after_pound => found.extend(name(group)),
                Delimiter::Brace => attributes(&group.stream(), found),
                _ => {}
            }
        }
        after_pound = marks::is_mark(&token, '#');
    }
}

/// The name of an attribute that is the macro's.
fn name(bracketed: &Group) -> Option<Ident> {
    match bracketed.stream().into_iter().next()? {
        TokenTree::Ident(name) if ATTRIBUTES.iter().any(|known| name == known) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_attributes_are_keywords() {
        let args = "Commands, line = b\"\\r\\n\", max = 224".parse().unwrap();
        let item = "#[derive(Debug)] enum Command<'a> { #[is(\"put\")] Put { len: u32,
            #[serde(skip)] #[bytes(len <= 9)] body: &'a [u8] }, #[other] Other { #[rest] r: &'a str } }";
        let found: Vec<String> =
            keywords(&args, &item.parse().unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(found.join(" "), "line max is bytes other rest");
    }
}

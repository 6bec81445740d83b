use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Meta};

use crate::errors::Errors;
use crate::spelling;

/// The attributes of a variant that are ours.
const OURS: [&str; 9] = ["read", "flush", "drain", "run", "sleep", "wait", "end", "to", "rest"];

/// An attribute of a variant, as the macro sees it.
pub(crate) enum Known {
    Ours,
    /// A slip for the attribute of ours that is named.
    Slip(&'static str),
    /// Somebody else's.
    Other,
}

/// Whose attribute of a variant it is. Where derives bring `helpers` of their own, what looks like
/// a slip may be one of those; then rustc says what it knows.
pub(crate) fn known(name: &Ident, helpers: bool) -> Known {
    // One letter from ours, and yet no slip.
    const OTHERS: [&str; 3] = ["test", "doc", "cfg"];
    let text = name.to_string();
    if OURS.contains(&text.as_str()) {
        return Known::Ours;
    }
    if helpers || OTHERS.contains(&text.as_str()) {
        return Known::Other;
    }
    spelling::nearest(&text, &OURS)
        .filter(|meant| meant.len() > 2)
        .map_or(Known::Other, Known::Slip)
}

/// Whether an enum derives something that may bring attributes of its own: anything but what the
/// standard library has.
pub(crate) fn has_helpers(item: &TokenStream) -> bool {
    const PLAIN: [&str; 9] =
        ["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];
    let attributes = item.clone().into_iter().filter_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => Some(group.stream()),
        _ => None,
    });
    attributes.into_iter().any(|attribute| {
        let mut tokens = attribute.into_iter();
        match (tokens.next(), tokens.next()) {
            (Some(TokenTree::Ident(name)), Some(TokenTree::Group(list))) if name == "derive" => {
                list.stream().into_iter().any(|token| match token {
                    TokenTree::Ident(name) => !PLAIN.iter().any(|plain| name == plain),
                    _ => false,
                })
            }
            _ => false,
        }
    })
}

/// Whether an attribute leaves out what it is on, or another one of ours, under some condition.
pub(crate) fn is_conditional(attr: &Attribute) -> bool {
    let Meta::List(list) = &attr.meta else { return false };
    let is_ours = |token| {
        matches!(token, TokenTree::Ident(name)
        if OURS.iter().chain(&["carry", "error"]).any(|ours| name == ours))
    };
    attr.path().is_ident("cfg")
        || (attr.path().is_ident("cfg_attr") && list.tokens.clone().into_iter().any(is_ours))
}

/// What is in the parentheses of an attribute.
pub(crate) fn arguments(attr: &Attribute, errors: &mut Errors) -> Option<TokenStream> {
    match &attr.meta {
        Meta::Path(_) => Some(TokenStream::new()),
        Meta::List(list) => Some(list.tokens.clone()),
        Meta::NameValue(pair) => {
            let name = pair.path.to_token_stream();
            errors.at(pair, format_args!("expected parentheses; write `#[{name}(..)]`"));
            None
        }
    }
}

/// The item without the attributes that are ours; all else as it was, also where it cannot be read.
pub(crate) fn strip(item: TokenStream) -> TokenStream {
    let helpers = has_helpers(&item);
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    if let Some(TokenTree::Group(body)) = tokens.last_mut() {
        if body.delimiter() == Delimiter::Brace {
            *body = within(body, &|name, _| !matches!(known(name, helpers), Known::Other));
        }
    }
    tokens.into_iter().collect()
}

/// `body` with the attributes dropped that are `ours`, and those of fields in what it contains.
fn within(body: &Group, ours: &dyn Fn(&Ident, bool) -> bool) -> Group {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in body.stream() {
        let TokenTree::Group(group) = &token else {
            kept.push(token);
            continue;
        };
        let follows_pound =
            matches!(kept.last(), Some(TokenTree::Punct(mark)) if mark.as_char() == '#');
        if group.delimiter() == Delimiter::Bracket && follows_pound {
            if is_ours(group, ours) {
                kept.pop();
                continue;
            }
            kept.push(token);
        } else {
            let fields = within(group, &|name, bare| bare && (name == "carry" || name == "error"));
            kept.push(fields.into());
        }
    }
    let mut stripped = Group::new(body.delimiter(), kept.into_iter().collect());
    stripped.set_span(body.span());
    stripped
}

fn is_ours(attribute: &Group, ours: &dyn Fn(&Ident, bool) -> bool) -> bool {
    let mut tokens = attribute.stream().into_iter();
    let Some(TokenTree::Ident(name)) = tokens.next() else { return false };
    match tokens.next() {
        None => ours(&name, true),
        Some(TokenTree::Group(_)) => ours(&name, false),
        Some(TokenTree::Punct(mark)) if mark.as_char() == '=' => ours(&name, false),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_attributes_are_stripped() {
        let item = "
            #[derive(Debug)] enum Demo {
                #[doc = \"a\"] #[read(some, max = 64KiB)] #[to(A)] #[cfg(x)] A,
                #[raed(some)] #[run] B { #[carry] #[serde(skip)] a: [u8; { 3 }], #[error] b: E },
                #[error(\"x\")] #[end] #[rest::x] C { #[error(transparent)] c: T }
            }";
        let expected = "
            #[derive(Debug)] enum Demo {
                #[doc = \"a\"] #[cfg(x)] A,
                B { #[serde(skip)] a: [u8; { 3 }], b: E },
                #[error(\"x\")] #[rest::x] C { #[error(transparent)] c: T }
            }";
        let expected: TokenStream = expected.parse().unwrap();
        assert_eq!(strip(item.parse().unwrap()).to_string(), expected.to_string());
    }

    #[test]
    fn attributes_of_other_derives_are_no_slips() {
        let item = "#[derive(Debug, Wire)] enum Demo { #[send] #[run] A }";
        let expected: TokenStream =
            "#[derive(Debug, Wire)] enum Demo { #[send] A }".parse().unwrap();
        assert_eq!(strip(item.parse().unwrap()).to_string(), expected.to_string());
    }
}

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Token;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};

use super::Parsed;
use super::words::{self, Foreign};
use crate::code::Code;
use crate::errors::Errors;
use crate::spelling;

/// The attributes of the macro on a state, and on a field.
pub(crate) const ON_STATES: [&str; 18] = [
    "read", "flush", "writable", "run", "sleep", "message", "tick", "discard", "shutdown", "call",
    "handoff", "job", "connect", "relay", "tls", "end", "to", "rest",
];
const ON_FIELDS: [&str; 4] = ["carry", "error", "job", "seed"];

/// The helper attribute around an attribute whose name is a typo, because rustc would not find
/// that.
pub(crate) const TYPO: &str = "__fsm_typo";

/// The helper attribute that gives a derive the arguments of `state_machine`.
pub(crate) const ARGS: &str = "__fsm_args";

/// An attribute, not yet read.
pub(crate) struct Attr {
    pound: Token![#],
    bracketed: Group,
    /// The name, if it is a single one.
    name: Option<Ident>,
    /// The tokens after the name.
    rest: TokenStream,
}

/// The kind of item that an attribute is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Machine,
    State,
    Field,
}

/// The owner of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The macro, under this name; another spelling is a typo.
    Ours(&'static str),
    /// The macro, for another kind of item.
    Misplaced(&'static str),
    /// The macro, by a word of others.
    Foreign(Foreign),
    Other,
}

impl Parse for Attr {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let pound = input.parse()?;
        let bracketed: Group = input.parse()?;
        let content = |input: ParseStream<'_>| {
            if !input.peek(syn::Ident) {
                // An attribute with a path is not the macro's.
                let is_path = input.peek(Token![::])
                    || input.peek(Token![crate])
                    || input.peek(Token![self])
                    || input.peek(Token![super])
                    || input.peek(Token![unsafe]);
                let rest = input.parse::<TokenStream>()?;
                return if is_path { Ok((None, rest)) } else { Err(input.error("no attribute")) };
            }
            let name: Ident = input.parse()?;
            let name = (!input.peek(Token![::])).then_some(name);
            Ok((name, input.parse()?))
        };
        let (mut name, mut rest) = content.parse2(bracketed.stream())?;
        if name.as_ref().is_some_and(|name| name == TYPO) {
            if let Some(TokenTree::Group(typo)) = rest.clone().into_iter().next() {
                (name, rest) = content.parse2(typo.stream())?;
            }
        }
        Ok(Self { pound, bracketed, name, rest })
    }
}

impl Attr {
    /// Reads the next attributes, without those that rustc has refused.
    pub(super) fn all(input: ParseStream<'_>) -> syn::Result<Parsed<Vec<Self>>> {
        let mut attrs = Vec::new();
        let mut complete = true;
        while input.peek(Token![#]) {
            let ahead = input.fork();
            if let Ok(attr) = ahead.parse() {
                attrs.push(attr);
                input.advance_to(&ahead);
            } else {
                complete = false;
                input.parse::<Token![#]>()?;
                input.parse::<Group>()?;
            }
        }
        Ok(Parsed { value: attrs, complete })
    }

    pub(crate) fn name(&self) -> Option<&Ident> {
        self.name.as_ref()
    }

    /// The owner of the attribute. If derives bring `helpers` of their own, a name that is not
    /// exactly the macro's may be one of them and is left to rustc.
    pub(crate) fn owner(&self, level: Level, helpers: bool) -> Owner {
        let Some(name) = &self.name else { return Owner::Other };
        owner(&name.to_string(), self.rest.is_empty(), level, helpers)
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|own| own == name)
    }

    /// The tokens in its parentheses, if it has some.
    pub(crate) fn list(&self) -> Option<TokenStream> {
        match self.rest.clone().into_iter().next() {
            Some(TokenTree::Group(group)) => Some(group.stream()),
            _ => None,
        }
    }

    /// The text of an attribute `name = ".."`.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        if self.name.as_ref()? != name {
            return None;
        }
        let text = |input: ParseStream<'_>| {
            input.parse::<Token![=]>()?;
            input.parse::<syn::LitStr>()
        };
        // The text of a macro such as `include_str!` is not known here.
        text.parse2(self.rest.clone()).ok().map(|text| text.value())
    }

    /// Whether it has the name of an attribute of the macro for any kind of item.
    fn is_exactly_ours(&self) -> bool {
        let bare = self.rest.is_empty();
        self.name.as_ref().is_some_and(|name| {
            ON_STATES.iter().any(|ours| name == ours)
                || (bare && ON_FIELDS.iter().any(|ours| name == ours))
        })
    }

    /// Whether it makes something conditional.
    pub(crate) fn is_conditional(&self) -> bool {
        self.name.as_ref().is_some_and(|name| name == "cfg" || name == "cfg_attr")
    }

    /// The attribute for a derive that reads it later, with a helper around a typo.
    pub(crate) fn deferred(&self, level: Level, helpers: bool) -> TokenStream {
        let misspelt = |name: &&Ident| match self.owner(level, helpers) {
            Owner::Ours(meant) => **name != meant,
            Owner::Foreign(_) => true,
            Owner::Misplaced(_) | Owner::Other => false,
        };
        let Some(name) = self.name.as_ref().filter(misspelt) else { return self.to_token_stream() };
        let (pound, typo) = (&self.pound, self.bracketed.stream());
        let helper = Ident::new(TYPO, name.span());
        quote!(#pound [#helper(#typo)])
    }

    /// The tokens in its parentheses; anything else than parentheses is a finding.
    pub(crate) fn arguments(&self, errors: &mut Errors) -> Option<TokenStream> {
        if self.rest.is_empty() {
            return Some(TokenStream::new());
        }
        let list = self.list();
        if list.is_none() {
            let name = self.name.as_ref().map(ToString::to_string).unwrap_or_default();
            let text = format!("expected parentheses; write `#[{name}(..)]`");
            errors.at(Code::Grammar, self.bracketed.stream(), text);
        }
        list
    }

    /// Adds a finding that the attribute is on the wrong kind of item.
    pub(crate) fn misplaced(&self, meant: &str, level: Level, errors: &mut Errors) {
        let Some(name) = &self.name else { return };
        let text = if meant == "state_machine" {
            errors.at(Code::Twice, name, "`state_machine` is here twice; remove one");
            return;
        } else if ON_FIELDS.contains(&meant) {
            let does = if meant == "carry" { "takes the data of a field" } else { "fills a field" };
            format!("`{meant}` {does}; put it on a field of a state")
        } else if level == Level::Field {
            format!("`{meant}` is about a state; put it on the variant, not on its field")
        } else {
            format!("`{meant}` is about one state; put it on a variant")
        };
        errors.at(Code::WrongPlace, name, text);
    }
}

impl ToTokens for Attr {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.pound.to_tokens(tokens);
        self.bracketed.to_tokens(tokens);
    }
}

/// The owner of the attribute `name`; `bare` if nothing follows the name.
fn owner(name: &str, bare: bool, level: Level, helpers: bool) -> Owner {
    // Known attributes whose names are near to the macro's.
    const OTHERS: [&str; 4] = ["test", "doc", "cfg", "must_use"];
    let exactly = |known: &[&'static str]| known.iter().find(|known| **known == name).copied();
    let bare_field = exactly(&ON_FIELDS).filter(|_| bare);
    let own: &[&'static str] = match level {
        Level::Machine => &[],
        Level::State => &ON_STATES,
        Level::Field => &ON_FIELDS,
    };
    let found = match level {
        Level::Field => bare_field.or(exactly(&ON_FIELDS).filter(|name| *name != "error")),
        _ => exactly(own),
    };
    if let Some(found) = found {
        return Owner::Ours(found);
    }
    if name == "state_machine" && level == Level::Machine {
        return Owner::Misplaced("state_machine");
    }
    if helpers || OTHERS.contains(&name) {
        return Owner::Other;
    }
    if let Some(found) = exactly(&ON_STATES).or(bare_field) {
        return Owner::Misplaced(found);
    }
    if exactly(&ON_FIELDS).is_some() {
        return Owner::Other;
    }
    if let Some(foreign) = words::for_attribute(name).filter(|_| level == Level::State) {
        return Owner::Foreign(foreign);
    }
    spelling::nearest(name, own).filter(|meant| meant.len() > 2).map_or(Owner::Other, Owner::Ours)
}

/// Whether `word` can be a name.
pub(crate) fn is_name(word: &Ident) -> bool {
    !spelling::is_keyword(&word.to_string())
}

/// Whether an enum has a derive that may bring helper attributes: any but those of the standard
/// library.
pub(crate) fn has_helpers(attrs: &[Attr]) -> bool {
    const PLAIN: [&str; 9] =
        ["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];
    fn foreign(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(name) => !PLAIN.iter().any(|plain| name == plain),
            TokenTree::Group(group) => foreign(group.stream()),
            _ => false,
        })
    }
    attrs.iter().any(|attr| match &attr.name {
        Some(name) if name == "derive" => foreign(attr.rest.clone()),
        // It may hold a derive.
        Some(name) => name == "cfg_attr",
        None => false,
    })
}

/// The text of doc comments.
pub(crate) fn docs(attrs: &[Attr]) -> String {
    let mut lines = Vec::new();
    for text in attrs.iter().filter_map(|attr| attr.text("doc")) {
        lines.extend(text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()));
        if text.is_empty() {
            lines.push(String::new());
        }
    }
    lines.join("\n").trim().to_owned()
}

/// Removes the macro's attributes from an item that is no machine.
pub(crate) fn strip(item: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in item {
        let TokenTree::Group(group) = token else {
            kept.push(token);
            continue;
        };
        let pound = if kept.last().is_some_and(is_pound) { kept.pop() } else { None };
        let attr: TokenStream = pound.iter().cloned().chain([group.clone().into()]).collect();
        if syn::parse2::<Attr>(attr).is_ok_and(|attr| attr.is_exactly_ours()) {
            continue;
        }
        kept.extend(pound);
        let mut inner = Group::new(group.delimiter(), strip(group.stream()));
        inner.set_span(group.span());
        kept.push(inner.into());
    }
    kept.into_iter().collect()
}

fn is_pound(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == '#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_attributes_are_stripped() {
        let item = "
            #[derive(Debug)] struct Demo {
                #[doc = \"a\"] #[read(some, max = 64KiB)] #[to(A)] #[cfg(x)] a: u8,
                #[carry] #[serde(skip)] b: [u8; { 3 }], #[error] c: E, #[error(\"x\")] #[end] #[rest::x] d: D
            }";
        let expected = "
            #[derive(Debug)] struct Demo {
                #[doc = \"a\"] #[cfg(x)] a: u8,
                #[serde(skip)] b: [u8; { 3 }], c: E, #[error(\"x\")] #[rest::x] d: D
            }";
        let expected: TokenStream = expected.parse().unwrap();
        assert_eq!(strip(item.parse().unwrap()).to_string(), expected.to_string());
    }

    #[test]
    fn an_attribute_has_one_owner() {
        use Level::{Field, Machine, State};
        use Owner::{Misplaced, Other, Ours};
        let foreign = |name| Owner::Foreign(words::for_attribute(name).unwrap());
        for (text, level, helpers, expected) in [
            ("#[read(some)]", State, false, Ours("read")),
            ("#[read(some)]", State, true, Ours("read")),
            ("#[raed(some)]", State, false, Ours("read")),
            ("#[raed(some)]", State, true, Other),
            ("#[wait]", State, false, foreign("wait")),
            ("#[drain(below = 9)]", State, false, foreign("drain")),
            ("#[wait]", State, true, Other),
            ("#[wait]", Field, false, Other),
            ("#[message]", Machine, false, Misplaced("message")),
            ("#[__fsm_typo(raed(some))]", State, false, Ours("read")),
            ("#[read(some)]", Field, false, Misplaced("read")),
            ("#[read(some)]", Field, true, Other),
            ("#[read(some)]", Machine, false, Misplaced("read")),
            ("#[state_machine(start = A)]", Machine, true, Misplaced("state_machine")),
            ("#[carry]", Field, true, Ours("carry")),
            ("#[cary]", Field, false, Ours("carry")),
            ("#[carry(x)]", Field, false, Ours("carry")),
            ("#[carry]", State, false, Misplaced("carry")),
            ("#[error]", Field, false, Ours("error")),
            ("#[error]", State, false, Misplaced("error")),
            ("#[error(transparent)]", Field, false, Other),
            ("#[error(\"no\")]", State, false, Other),
            ("#[call(Index)]", State, false, Ours("call")),
            ("#[handof(Events)]", State, false, Ours("handoff")),
            ("#[job]", Field, true, Ours("job")),
            ("#[seed]", Field, false, Ours("seed")),
            ("#[seed]", State, false, Misplaced("seed")),
            ("#[job(x)]", State, false, Ours("job")),
            ("#[serde(skip)]", State, false, Other),
            ("#[test]", State, false, Other),
            ("#[doc = \"x\"]", Field, false, Other),
            ("#[a::read]", State, false, Other),
            ("#[::a::b]", State, false, Other),
            ("#[crate::a]", State, false, Other),
        ] {
            let attr: Attr = syn::parse_str(text).unwrap();
            assert_eq!(attr.owner(level, helpers), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_attribute_is_none() {
        for text in ["#[]", "#[final]", "#[8]", "#[fn(x)]"] {
            assert!(syn::parse_str::<Attr>(text).is_err(), "{text}");
        }
    }
}

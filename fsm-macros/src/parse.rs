//! Tokens to [`ast`](crate::ast).
//!
//! After it: every attribute of ours is read, every literal is a number. Names are only names, and
//! nothing is said yet about what is missing.

mod args;
mod attribute;
mod entry;
mod literal;
mod reader;
mod state;
mod wait;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Generics, Meta, Token, Variant, Visibility};

pub(crate) use self::attribute::strip;
use crate::ast::Machine;
use crate::errors::Errors;

/// The machine, as far as it can be read; `None` if the item is no enum.
pub(crate) fn parse(args: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Machine> {
    let helpers = attribute::has_helpers(&item);
    let head = match Head::parse.parse2(item) {
        Ok(head) => head,
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    let generic = !head.generics.params.is_empty() || head.generics.where_clause.is_some();
    if generic {
        let mut place = head.generics.params.to_token_stream();
        if place.is_empty() {
            place = head.generics.where_clause.to_token_stream();
        }
        errors.at(place, "a machine has no generics; keep what varies in the handler");
    }
    let args = args::parse(args, errors);
    let mut damaged = false;
    let mut states = Vec::new();
    for part in entry::split(head.body) {
        match syn::parse2::<Variant>(part.into_iter().collect()) {
            Ok(variant) => states.push(state::parse(&variant, helpers, errors)),
            Err(error) => {
                damaged = true;
                errors.push(error);
            }
        }
    }
    let docs = docs(&head.attrs);
    Some(Machine { vis: head.vis, name: head.name, docs, args, states, damaged, generic })
}

/// An enum whose variants are still tokens, so that a bad one does not spoil the others.
struct Head {
    attrs: Vec<Attribute>,
    vis: Visibility,
    name: Ident,
    generics: Generics,
    body: TokenStream,
}

impl Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !input.peek(Token![enum]) {
            let other = input.call(Ident::parse_any)?;
            input.parse::<TokenStream>()?;
            let text = format!("a machine is an enum, this is not; replace `{other}` by `enum`");
            return Err(syn::Error::new_spanned(other, text));
        }
        input.parse::<Token![enum]>()?;
        let name = input.parse()?;
        let mut generics: Generics = input.parse()?;
        generics.where_clause = input.parse()?;
        let body = match input.parse::<TokenTree>()? {
            TokenTree::Group(group) => group.stream(),
            other => return Err(syn::Error::new_spanned(other, "expected the states in braces")),
        };
        Ok(Self { attrs, vis, name, generics, body })
    }
}

/// The text of doc comments.
fn docs(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs {
        let Meta::NameValue(pair) = &attr.meta else { continue };
        if !pair.path.is_ident("doc") {
            continue;
        }
        // Something like `include_str!` is no literal; its text is not known here.
        if let Ok(text) = syn::parse2::<syn::LitStr>(pair.value.to_token_stream()) {
            lines.extend(
                text.value().lines().map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()),
            );
            if text.value().is_empty() {
                lines.push(String::new());
            }
        }
    }
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How the machine's parts read, or the messages.
    fn read(args: &str, item: &str) -> Vec<String> {
        let mut errors = Errors::default();
        let machine = parse(args.parse().unwrap(), item.parse().unwrap(), &mut errors);
        let mut lines = errors.messages();
        if let Some(machine) = machine {
            lines.push(format!("{} {:?}", machine.name, machine.docs));
            lines.extend(machine.states.iter().map(|state| {
                let fields: Vec<String> =
                    state.fields.iter().map(|field| field.name.to_string()).collect();
                format!("{} {:?} [{}]", state.name, state.docs, fields.join(" "))
            }));
        }
        lines
    }

    #[test]
    fn an_enum_is_read() {
        let item = "
            /// What it is.
            ///
            /// More.
            #[derive(Debug)]
            pub(crate) enum Demo {
                /// Waits.
                #[run] #[to(B)] A { x: Map<u8, u8>, y: u8 },
                #[end] B,
            }";
        assert_eq!(
            read("start = A", item),
            ["Demo \"What it is.\\n\\nMore.\"", "A \"Waits.\" [x y]", "B \"\" []"]
        );
    }

    #[test]
    fn other_items_are_refused() {
        assert_eq!(
            read("start = A", "pub struct Demo { a: u8 }"),
            ["a machine is an enum, this is not; replace `struct` by `enum`"]
        );
        assert_eq!(
            read("start = A", "fn demo() {}"),
            ["a machine is an enum, this is not; replace `fn` by `enum`"]
        );
    }

    #[test]
    fn a_half_typed_variant_does_not_hide_the_others() {
        let lines = read("start = A", "enum Demo { A, B { x: }, #[end] C }");
        assert!(lines[0].starts_with("unexpected end of input"), "{}", lines[0]);
        assert_eq!(lines[1..], ["Demo \"\"", "A \"\" []", "C \"\" []"]);
    }

    #[test]
    fn states_have_names_for_their_data_and_no_numbers() {
        assert_eq!(
            read("start = A", "enum Demo<T> { A(T), B = 1 }")[..3],
            [
                "a machine has no generics; keep what varies in the handler",
                "the data of state `A` has no names; write `A { name: Type }`",
                "a state has no number; remove `= 1`",
            ]
        );
    }
}

//! Tokens to [`ast`](crate::ast).
//!
//! After this pass every attribute of the macro is read and every literal is a number. Names are not
//! looked up, and missing items are not reported. rustc reports what its grammar refuses before it
//! calls the macro, so this pass leaves that out without a finding.

mod args;
mod attribute;
mod entry;
mod item;
mod keywords;
pub(crate) mod literal;
pub(crate) mod marks;
mod names;
pub(crate) mod parts;
mod pool;
mod reader;
mod rest;
mod state;
mod variant;
mod wait;
mod words;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

pub(crate) use self::attribute::strip;
use self::attribute::{Level, Owner};
pub(crate) use self::item::Item;
use crate::ast;
use crate::code::Code;
use crate::errors::Errors;

/// The readable parts of something.
struct Parsed<T> {
    value: T,
    /// There are no other parts.
    complete: bool,
}

/// The machine, as far as it can be read.
pub(crate) fn parse(args: TokenStream, item: &Item, errors: &mut Errors) -> ast::Machine {
    let generics = &item.generics;
    let generic = !generics.params.is_empty() || generics.where_clause.is_some();
    if generic {
        let mut place = generics.params.to_token_stream();
        if place.is_empty() {
            place = generics.where_clause.to_token_stream();
        }
        let text =
            "a machine has no generics; keep what varies in the handler, which may have some";
        errors.at(Code::Generics, place, text);
    }
    for attr in &item.attrs {
        if let Owner::Misplaced(meant) = attr.owner(Level::Machine, item.helpers) {
            attr.misplaced(meant, Level::Machine, errors);
        }
    }
    let allows = item.attrs.iter().filter(|attr| attr.is("allow")).map(ToTokens::to_token_stream);
    // rustc warns the users of what is deprecated, not its declaration.
    let deprecated = item.has_deprecated().then(|| quote!(#[allow(deprecated)]));
    let keywords = keywords::keywords(&args, item);
    let mut args = args::parse(args, errors);
    let states = item.variants.iter().map(|variant| state::parse(variant, item.helpers, errors));
    let states: Vec<ast::State> = states.collect();
    let reads_datagrams =
        |state: &ast::State| state.waits.iter().any(|wait| wait.kind.reads_datagrams());
    let datagrams = states.iter().position(reads_datagrams);
    args.incomplete |= states.iter().any(|state| state.marked_as_start);
    ast::Machine {
        vis: item.vis.clone(),
        name: item.name.clone(),
        docs: attribute::docs(&item.attrs),
        allows: allows.chain(deprecated).collect(),
        args,
        states,
        datagrams,
        keywords,
        incomplete: item.broken,
        generic,
        conditional: item.conditional.clone(),
    }
}

/// The path of the runtime by `args`, which may have errors.
pub(crate) fn root(args: TokenStream) -> TokenStream {
    args::parse(args, &mut Errors::default()).root()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The machine, which must be an enum.
    pub(crate) fn machine(args: &str, item: &str, errors: &mut Errors) -> ast::Machine {
        let item = Item::read(item.parse().unwrap(), errors).unwrap();
        parse(args.parse().unwrap(), &item, errors)
    }

    /// The messages, then the parts of the machine.
    fn read(args: &str, item: &str) -> Vec<String> {
        let mut errors = Errors::default();
        let item = Item::read(item.parse().unwrap(), &mut errors);
        let machine = item.map(|item| parse(args.parse().unwrap(), &item, &mut errors));
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
            /// Its kind.
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
            ["Demo \"Its kind.\\n\\nMore.\"", "A \"Waits.\" [x y]", "B \"\" []"]
        );
    }

    #[test]
    fn other_items_are_refused() {
        for (item, expected) in [
            ("pub struct Demo { a: u8 }", "replace `struct` by `enum`"),
            ("union Demo { a: u8 }", "replace `union` by `enum`"),
            ("fn demo() {}", "put `#[state_machine(..)]` on an enum"),
            ("unsafe impl A for B {}", "put `#[state_machine(..)]` on an enum"),
        ] {
            let text = format!("a machine must be an enum; {expected}");
            assert_eq!(read("start = A", item), [text]);
        }
    }

    #[test]
    fn a_half_typed_variant_does_not_hide_the_others() {
        let lines = read("start = A", "enum Demo { A, B { x: }, #[end] C }");
        assert_eq!(lines, ["Demo \"\"", "A \"\" []", "B \"\" []", "C \"\" []"]);
    }

    #[test]
    fn states_have_names_for_their_data_and_no_numbers() {
        assert_eq!(
            read("start = A", "enum Demo<T> { A(T), B = 1 }")[..3],
            [
                "a machine has no generics; keep what varies in the handler, which may have some",
                "the data of state `A` has no names; write `A { name: Type }`",
                "a state has no number; remove `= 1`",
            ]
        );
    }

    #[test]
    fn what_is_ours_is_taken_away_wherever_it_is() {
        let kept = |item: &str| {
            let item = Item::read(item.parse().unwrap(), &mut Errors::default()).unwrap();
            item.kept(None).to_string().replace("# [", "#[")
        };
        assert_eq!(
            kept(
                "#[derive(Debug)] #[rest] enum Demo {
                    #[doc = \"a\"] #[read(some, max = 64KiB)] #[to(A)] A,
                    #[raed(some)] #[run] #[carry] B { #[carry] #[serde(skip)] a: u8, #[error] b: E },
                    #[error(\"x\")] #[end] #[rest::x] C { #[error(transparent)] #[read(some)] c: T }
                }"
            ),
            "#[derive (Debug)] enum Demo { #[doc = \"a\"] A , B { #[serde (skip)] a : u8 , b : E } , \
             #[error (\"x\")] #[rest :: x] C { #[error (transparent)] c : T } , }"
        );
        // An attribute that looks like a typo may belong to another derive.
        assert_eq!(
            kept("#[derive(Debug, Wire)] enum Demo { #[raed] #[run] A }"),
            "#[derive (Debug , Wire)] enum Demo { #[raed] A , }"
        );
    }

    #[test]
    fn a_derive_is_given_all_that_is_ours() {
        let item = "#[derive(Debug)] enum Demo {
            #[cfg(x)] #[raed(some)] #[to(A)] A, #[end] B { #[cary] x: u8, #[carry] y: u8 } }";
        let item = Item::read(item.parse().unwrap(), &mut Errors::default()).unwrap();
        assert!(item.is_conditional());
        let deferred = item.deferred(&"start = A".parse().unwrap(), &"::a".parse().unwrap());
        assert_eq!(
            deferred.to_string().replace("# [", "#["),
            "#[derive (:: a :: __StateMachine)] #[__fsm_args (false [A (x)] start = A)] #[derive (Debug)] \
             enum Demo { #[cfg (x)] #[__fsm_typo (raed (some))] #[to (A)] A , \
             #[end] B { #[__fsm_typo (cary)] x : u8 , #[carry] y : u8 } , }"
        );
        let mut seen = Item::read(deferred, &mut Errors::default()).unwrap();
        let args = seen.args();
        assert_eq!((args.to_string().as_str(), seen.helpers), ("start = A", false));
        let mut errors = Errors::default();
        let _ = parse(args, &seen, &mut errors);
        assert_eq!(
            errors.messages(),
            [
                "unknown attribute `raed`; did you mean `read`?",
                "unknown attribute `cary`; did you mean `carry`?",
            ]
        );
    }
}

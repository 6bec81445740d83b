//! The `#[state_machine]` attribute. `fsm-runtime` re-exports it, so depend on that crate; its docs
//! have programs.
//!
//! The passes, each a plain function over tokens:
//!
//! ```text
//! parse -> ast -> check (+ graph) -> lower -> model -> expand
//!                   |
//!                   +-> fallback, after findings
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

#[macro_use]
mod quoting;

mod ast;
mod check;
mod code;
mod errors;
mod expand;
mod fallback;
mod frame;
#[cfg(test)]
mod fuzz;
mod graph;
#[cfg(test)]
mod layers;
mod lower;
mod model;
mod parse;
mod spelling;

use proc_macro2::TokenStream;
use quote::quote;

use crate::code::Code;
use crate::errors::Errors;
use crate::parse::Item;

#[doc = include_str!("state_machine.md")]
#[proc_macro_attribute]
pub fn state_machine(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(args.into(), item.into()).into()
}

#[doc = include_str!("frame/frame.md")]
#[proc_macro_attribute]
pub fn frame(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    frame::frame(args.into(), item.into()).into()
}

/// The second step of `#[state_machine]` for an enum with conditional parts, because rustc resolves
/// conditions before it calls a derive.
#[doc(hidden)]
#[proc_macro_derive(
    __StateMachine,
    attributes(
        __fsm_args, __fsm_typo, read, flush, writable, run, sleep, message, tick, discard,
        shutdown, call, handoff, connect, relay, tls, end, to, rest, carry, error, job, seed
    )
)]
pub fn derive(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut errors = Errors::default();
    let tokens = match Item::read(item.into(), &mut errors) {
        None => refused(errors),
        Some(mut item) => match machine(item.args(), &item, errors) {
            Ok(model) => expand::expand(&model, Some(&expand::docs(&model))),
            Err(fallback) => fallback,
        },
    };
    tokens.into()
}

fn attribute(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(read) = Item::read(item.clone(), &mut errors) else {
        let mut tokens = parse::strip(item);
        tokens.extend(refused(errors));
        return tokens;
    };
    if read.is_conditional() {
        return read.deferred(&args, &parse::root(args.clone()));
    }
    let (mut tokens, beside) = match machine(args, &read, errors) {
        Ok(model) => (read.kept(Some(&expand::docs(&model))), expand::expand(&model, None)),
        Err(fallback) => (read.kept(None), fallback),
    };
    tokens.extend(beside);
    tokens
}

/// Runs the passes up to the model; after findings returns the fallback beside the enum.
fn machine(
    args: TokenStream,
    item: &Item,
    mut errors: Errors,
) -> Result<model::Machine, TokenStream> {
    let machine = parse::parse(args, item, &mut errors);
    let graph = check::check(&machine, &mut errors);
    if errors.is_empty() && !machine.incomplete && graph.is_sound() {
        if let Some(model) = lower::lower(&machine, &graph) {
            return Ok(model);
        }
        let text = "the macro has a bug: it cannot expand this machine";
        errors.at(Code::Bug, &machine.name, text);
    }
    Err(fallback::fallback(&machine, &graph, errors))
}

/// The findings without impls.
fn refused(errors: Errors) -> TokenStream {
    errors.into_compile_errors().map(|error| quote!(#error;)).collect()
}

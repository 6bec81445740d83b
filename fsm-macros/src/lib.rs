//! The `#[state_machine]` attribute of `fsm-runtime`.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod ast;
mod check;
mod errors;
mod expand;
mod fallback;
mod graph;
mod lower;
mod model;
mod parse;
mod spelling;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// X
#[proc_macro_attribute]
pub fn state_machine(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    machine(args.into(), item.into()).into()
}

/// The passes, and what stands in for them when something is wrong.
fn machine(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut tokens = parse::strip(item.clone());
    let Some(machine) = parse::parse(args, item, &mut errors) else {
        tokens.extend(errors.into_compile_errors());
        return tokens;
    };
    let graph = check::check(&machine, &mut errors);
    let sound = errors.is_empty() && graph.is_sound();
    let model = if sound { lower::lower(&machine, &graph) } else { None };
    if sound && model.is_none() {
        errors.at(&machine.name, "the macro has a bug: it cannot expand this machine");
    }
    tokens.extend(match model {
        Some(model) => expand::expand(&model),
        None => fallback::fallback(&machine, &graph, errors),
    });
    tokens
}

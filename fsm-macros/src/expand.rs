//! [`model`](crate::model) to tokens.
//!
//! This pass cannot fail. Generated code has `mixed_site` spans, so that no local in it collides
//! with a field or an expression of the user's.

mod arithmetic;
mod both;
mod drive;
mod handler_call;
mod lints;
mod machine;
mod module;
mod moves;
mod read;
mod routes;
mod scope;
mod size_budget;
#[cfg(test)]
mod snapshot;
mod spec;
mod text;
mod timers;
mod transition;

use proc_macro2::{Span, TokenStream};
use quote::format_ident;

pub(crate) use self::arithmetic::Overflow;
pub(crate) use self::lints::lints;
pub(crate) use self::module::module;
pub(crate) use self::routes::service;
use crate::model::{self, Checked, Interface};

/// The impls and the module beside the user's enum, with `docs` for the module if the enum cannot
/// have them.
pub(crate) fn expand(machine: &model::Machine, docs: Option<&TokenStream>) -> TokenStream {
    let mut impls = imports(&machine.interface);
    impls.extend(size_budget::bounds(machine));
    impls.extend(size_budget::budget(machine));
    impls.extend(machine::machine(machine));
    impls.extend(drive::drive(machine));
    let mut tokens = names(&machine.interface);
    tokens.extend(needs_tls(machine));
    tokens.extend(module(&machine.interface, docs));
    tokens.extend(beside(&machine.interface, &impls));
    tokens
}

/// An error of rustc's if the machine begins TLS and the runtime lacks it.
fn needs_tls(machine: &model::Machine) -> Option<TokenStream> {
    let root = &machine.interface.root;
    let begins = machine.states.iter().any(model::State::begins_tls);
    begins.then(|| generated!(#root::__needs_tls!();))
}

/// The graph for the enum's docs: a table and, in a build of docs, a picture.
pub(crate) fn docs(machine: &model::Machine) -> TokenStream {
    let (root, table, mermaid) = (&machine.interface.root, &machine.table, &machine.mermaid);
    let apart = (!machine.docs.is_empty()).then(|| generated!(#[doc = ""]));
    generated! {
        #apart
        #[doc = #table]
        #[cfg_attr(doc, doc = #root::__picture!(#mermaid))]
    }
}

/// Code that links the tokens in attributes to states and to the docs of keywords, for editors. It
/// comes first, because an editor takes the first use of a token.
pub(crate) fn names(interface: &Interface) -> TokenStream {
    let Interface { root, name, keywords, states, .. } = interface;
    generated! {
        // Only rust-analyzer sets this `cfg`, which rustc does not know.
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            const fn names(machine: #name) {
                use #root::__keywords;
                let _ = [#(__keywords::#keywords),*];
                match machine {
                    #(#name::#states { .. } |)* _ => {}
                }
            }
        };
    }
}

/// The impls, in a scope that imports the items of the module once, so that a clash with another
/// module is one error and not one for each use. The aliases begin with `__`, because expressions
/// of the user's are in the same scope.
pub(crate) fn beside(interface: &Interface, impls: &TokenStream) -> TokenStream {
    let module = &interface.module;
    let handlers = interface.handlers.iter();
    let names = handlers.map(|handler| handler.after.clone());
    let names = names.chain([format_ident!("Handler")]);
    let partial = (!interface.decoders.is_empty()).then(|| format_ident!("Partial"));
    let imports = names.chain(partial).map(|mut name| {
        let place = Span::mixed_site().located_at(module.span());
        let alias = format_ident!("__{}", name, span = place);
        name.set_span(module.span());
        generated!(#name as #alias)
    });
    let checked = interface.checked.iter().map(|Checked { alias, .. }| {
        let beside = Checked::beside(alias);
        generated_at!(alias => #alias as #beside)
    });
    let imports = imports.chain(checked);
    let (lints, allows) = (lints(), &interface.allows);
    generated! {
        #lints
        #(#allows)*
        const _: () = {
            use #module::{#(#imports),*};

            #impls
        };
    }
}

/// Short names for items that the impls name often, because each token costs time in the macro,
/// which is seldom optimised, and in rustc.
fn imports(interface: &Interface) -> TokenStream {
    let root = &interface.root;
    generated! {
        use #root as __rt;
        use ::core::result::Result::{Err as __Err, Ok as __Ok};
        use __rt::{Miss as __Miss, Step as __Step, WaitSet as __WaitSet};

    }
}

impl Interface {
    /// The type of the decoders' state, as the impls name it.
    fn partial(&self) -> TokenStream {
        if self.decoders.is_empty() { generated!(()) } else { generated!(__Partial) }
    }
}

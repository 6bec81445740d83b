//! A [`model`](crate::model) to Rust.
//!
//! Cannot fail. Generated code is spanned `mixed_site`, so that no local of ours meets a field or
//! an expression of the user's.

/// Quotes code whose locals nobody else sees.
macro_rules! generated {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}

/// The same, shown to the user at the tokens `place` if rustc has something to say about it.
macro_rules! generated_at {
    ($place:expr => $($tokens:tt)*) => {{
        let place = ::syn::spanned::Spanned::span(&$place);
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site().located_at(place)=> $($tokens)*)
    }};
}

mod drive;
mod lints;
mod machine;
mod module;
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

pub(crate) use self::lints::lints;
pub(crate) use self::module::module;
pub(crate) use self::routes::service;
use crate::model::{self, Interface};

/// The impls and the module beside the user's enum, with `docs` for the module if the enum cannot
/// have them.
pub(crate) fn expand(machine: &model::Machine, docs: Option<&TokenStream>) -> TokenStream {
    let mut impls = imports(&machine.interface);
    impls.extend(size_budget::bounds(machine));
    impls.extend(size_budget::budget(machine));
    impls.extend(machine::machine(machine));
    impls.extend(drive::drive(machine));
    let mut tokens = names(&machine.interface);
    tokens.extend(module(&machine.interface, docs));
    tokens.extend(beside(&machine.interface, &impls));
    tokens
}

/// What the docs of the enum show of the graph: a table and, where docs are built, a picture.
pub(crate) fn docs(machine: &model::Machine) -> TokenStream {
    let (root, table, mermaid) = (&machine.interface.root, &machine.table, &machine.mermaid);
    let apart = (!machine.docs.is_empty()).then(|| generated!(#[doc = ""]));
    generated! {
        #apart
        #[doc = #table]
        #[cfg_attr(doc, doc = #root::__picture!(#mermaid))]
    }
}

/// What an editor finds for the tokens in attributes: the states, and the docs of words. First of
/// all, because it takes the first.
pub(crate) fn names(interface: &Interface) -> TokenStream {
    let Interface { root, name, keywords, states, .. } = interface;
    generated! {
        // Of the `cfg` that only rust-analyzer sets.
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

/// The impls, in a scope that has the names of the module: where another module has its name, one
/// finding says so, and not one for each use. The names are such as no user's expression has.
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
    let lints = lints();
    generated! {
        #lints
        const _: () = {
            use #module::{#(#imports),*};

            #impls
        };
    }
}

/// Short names for what the impls name often: a token less for each use, in a macro that is seldom
/// optimised, and a step less to look up for rustc.
fn imports(interface: &Interface) -> TokenStream {
    let root = &interface.root;
    generated! {
        use #root as __rt;
        #[allow(unused_imports)]
        use ::core::result::Result::{Err as __Err, Ok as __Ok};
        #[allow(unused_imports)]
        use __rt::{Miss as __Miss, Step as __Step, WaitSet as __WaitSet};

    }
}

impl Interface {
    /// The type of what decoders remember, where the impls are.
    fn partial(&self) -> TokenStream {
        if self.decoders.is_empty() { generated!(()) } else { generated!(__Partial) }
    }
}

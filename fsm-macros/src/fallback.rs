use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::ast;
use crate::errors::Errors;
use crate::expand;
use crate::graph::Graph;
use crate::lower;
use crate::model::Interface;

/// The items beside an enum with findings: the findings, and stub impls, so that rustc does not
/// report missing impls as well.
pub(crate) fn fallback(machine: &ast::Machine, graph: &Graph<'_>, errors: Errors) -> TokenStream {
    let names = unknown(machine, graph);
    let mut findings: Vec<TokenStream> = errors.into_compile_errors().collect();
    if machine.generic {
        return quote!(#(#findings;)*);
    }
    // The last finding is also the size of all unknown types; rustc prints those in a module last.
    let unknown_size = findings.pop().unwrap_or_else(|| quote!(0));
    let Some(interface) = lower::stub(machine, graph, unknown_size.clone()) else {
        return quote!(#(#findings;)* const _: usize = #unknown_size; #names);
    };
    let names_of_states = expand::names(&interface);
    let module = expand::module(&interface, None);
    let (machine, drive) = (machine_stub(&interface), drive_stub(&interface));
    let service = expand::service(&interface);
    let impls = expand::beside(&interface, &quote!(#machine #drive #service));
    quote! {
        #(#findings;)*
        #names
        #names_of_states
        #module
        #impls
    }
}

fn machine_stub(interface: &Interface) -> TokenStream {
    let (root, name) = (&interface.root, &interface.name);
    let text = name.to_string();
    let (message, settings) = (interface.message_type(), interface.settings_type());
    let (side, starts) = (interface.side(), format_ident!("{}", interface.starts()));
    let seed = interface.seed.as_ref().map_or_else(|| quote!(()), |seed| interface.beside(seed));
    quote! {
        #[automatically_derived]
        impl #root::Machine for #name {
            const SPEC: &'static #root::Spec =
                &#root::Spec::new(#text, &[]).with_starts(#root::Starts::#starts);

            type Message = #message;
            type Partial = ();
            type Seed = #seed;
            type Settings = #settings;
            type Kind = #root::#side;
            type Other = #root::NoOther;
            type Deadlines = #root::Deadlines<1>;

            fn start(_: Self::Seed) -> Self {
                loop {}
            }

            fn state(&self) -> usize {
                0
            }

            fn timer(&self, _: usize, _: &#settings) -> #root::Timer {
                loop {}
            }
        }
    }
}

fn drive_stub(interface: &Interface) -> TokenStream {
    let (root, name) = (&interface.root, &interface.name);
    let (cx, types) = (interface.cx(), interface.cx_types());
    quote! {
        #[automatically_derived]
        impl<__H: __Handler> #root::Drive<__H> for #name {
            fn resume(
                &mut self,
                _: &mut __H,
                _: &mut #root::Input<'_, ()>,
                _: &mut #root::#cx<'_, #types>,
            ) -> #root::Step {
                loop {}
            }

            fn expire(
                &mut self,
                _: usize,
                _: &mut __H,
                _: &mut #root::#cx<'_, #types>,
            ) -> #root::Step {
                loop {}
            }
        }
    }
}

/// A use of each unknown name, so that rustc reports it and suggests the right one.
fn unknown(machine: &ast::Machine, graph: &Graph<'_>) -> TokenStream {
    if graph.unknown.is_empty() {
        return TokenStream::new();
    }
    let (machine, unknown) = (&machine.name, &graph.unknown);
    quote! {
        const _: () = {
            fn unknown(machine: #machine) {
                #(if let #machine::#unknown { .. } = machine {})*
            }
        };
    }
}

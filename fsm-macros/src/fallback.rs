use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::ast;
use crate::errors::Errors;
use crate::expand;
use crate::graph::Graph;
use crate::lower;

/// What stands beside the enum when something is wrong with it: the findings, and impls that do
/// nothing, so that there is no finding about what is missing only because of them.
pub(crate) fn fallback(machine: &ast::Machine, graph: &Graph<'_>, errors: Errors) -> TokenStream {
    let names = unknown(machine, graph);
    let mut findings: Vec<TokenStream> = errors.into_compile_errors().collect();
    if machine.generic {
        return quote!(#(#findings;)*);
    }
    // One of them stands for all that is not known.
    let unknown_size = if findings.is_empty() { quote!(0) } else { findings.remove(0) };
    let Some(interface) = lower::stub(machine, graph, unknown_size.clone()) else {
        return quote!(const _: usize = #unknown_size; #(#findings;)* #names);
    };
    let (root, name) = (&interface.root, &interface.name);
    let text = name.to_string();
    let message = interface.message_type();
    let (cx, side, starts) =
        (interface.cx(), interface.side(), format_ident!("{}", interface.starts()));
    let seed = interface.seed.as_ref().map_or_else(|| quote!(()), |seed| interface.beside(seed));
    let service = expand::service(&interface);
    let known = expand::names(&interface);
    let module = expand::module(&interface, None);
    let impls = expand::beside(
        &interface,
        &quote! {
            #[automatically_derived]
                impl #root::Machine for #name {
                const SPEC: &'static #root::Spec =
                    &#root::Spec::new(#text, &[]).with_starts(#root::Starts::#starts);

                type Message = #message;
                type Partial = ();
                type Seed = #seed;
                type Kind = #root::#side;
                type Deadlines = #root::Deadlines<1>;

                fn start(_: Self::Seed) -> Self {
                    loop {}
                }

                fn state(&self) -> usize {
                    0
                }

                fn timer(&self, _: usize) -> #root::Timer {
                    loop {}
                }
            }

            #[automatically_derived]
                impl<__H: __Handler> #root::Drive<__H> for #name {
                fn resume(
                    &mut self,
                    _: &mut __H,
                    _: &mut #root::Input<'_, ()>,
                    _: &mut #root::#cx<'_, #message>,
                ) -> #root::Step {
                    loop {}
                }

                fn expire(
                    &mut self,
                    _: usize,
                    _: &mut __H,
                    _: &mut #root::#cx<'_, #message>,
                ) -> #root::Step {
                    loop {}
                }
            }

            #service
        },
    );
    quote! {
        #(#findings;)*
        #names
        #known
        #module
        #impls
    }
}

/// Names of no state, where rustc sees them and says what they were meant to be.
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

use std::fmt::Write;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use syn::Type;
use syn::spanned::Spanned;

use super::text::parsed;
use super::{routes, spec, timers};
use crate::model::{self, Interface};

/// `impl Machine for ..`
pub(crate) fn machine(machine: &model::Machine) -> TokenStream {
    let interface = &machine.interface;
    let name = &interface.name;
    let spec = spec::spec(machine);
    let message = interface.message.as_ref().map_or_else(
        || {
            generated!(
                type Message = __rt::NoMessage;
            )
        },
        |message| associated(interface, message, "Message"),
    );
    let partial = interface.partial();
    let model::Start { index, name: start } = &machine.start;
    let (seed, pattern, start) = match &interface.seed {
        None => {
            let start = machine.states[*index].empty(start);
            (
                generated!(
                    type Seed = ();
                ),
                generated!((): ()),
                start,
            )
        }
        Some(seed) => {
            let start = machine.states[*index].seeded(start);
            (associated(interface, seed, "Seed"), generated!(seed: Self::Seed), start)
        }
    };
    let (side, other, settings) = (interface.side(), interface.other(), interface.settings_type());
    let settings_type = interface.settings.as_ref().map_or_else(
        || {
            generated!(
                type Settings = ();
            )
        },
        |settings| associated(interface, settings, "Settings"),
    );
    let routes = routes::routes(machine);
    let (service, answers) = (routes::service(interface), routes::answers(interface));
    let (state, server_name) = (state(machine), server_name(machine));
    let (count, timer) =
        (Literal::usize_unsuffixed(timers::count(machine)), timers::timer(machine));
    generated! {
        #[automatically_derived]
        impl __rt::Machine for #name {
            const SPEC: &'static __rt::Spec = #spec;

            #message
            type Partial = #partial;
            #seed
            #settings_type
            type Kind = __rt::#side;
            type Other = __rt::#other;
            type Deadlines = __rt::Deadlines<#count>;

            #[inline]
            fn start(#pattern) -> Self {
                #start
            }

            #[inline]
            fn state(&self) -> usize {
                #state
            }

            #[inline]
            fn timer(&self, timer: usize, settings: &#settings) -> __rt::Timer {
                #timer
            }

            #server_name
            #answers
            #routes
        }

        #service
    }
}

/// `Machine::server_name`, if some state begins TLS with a server that it names.
fn server_name(machine: &model::Machine) -> Option<TokenStream> {
    let settings = machine.interface.settings_type();
    let arms: Vec<TokenStream> = machine
        .states
        .iter()
        .filter_map(|state| {
            let model::Wait::Tls { name: Some(name), .. } = &state.active()?.wait else {
                return None;
            };
            let pattern = state.some(&name.value.fields);
            let (scope, value) = (name.value.scope(&generated!(settings)), &name.value.value);
            let text = generated_at!(value => ::core::convert::AsRef::<str>::as_ref(&(#value)));
            Some(generated! {
                #pattern => {
                    #scope
                    ::core::option::Option::Some(::std::string::String::from(#text))
                }
            })
        })
        .collect();
    (!arms.is_empty()).then(|| {
        generated! {
            fn server_name(
                &self,
                settings: &#settings,
            ) -> ::core::option::Option<::std::string::String> {
                match self {
                    #(#arms)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}

/// The associated type `name`, at which rustc reports a type that is private where the enum is not.
fn associated(interface: &Interface, ty: &Type, name: &str) -> TokenStream {
    let name = Ident::new(name, Span::mixed_site().located_at(ty.span()));
    let of = interface.beside(ty);
    generated_at!(ty => type #name = #of;)
}

/// The number of the current state.
fn state(machine: &model::Machine) -> TokenStream {
    let mut text = String::new();
    for (index, state) in machine.states.iter().enumerate() {
        let _ = write!(text, "{} => {index},", state.pattern());
    }
    // `self` is a local, which text cannot name.
    let arms = parsed(&text);
    generated!(match self { #arms })
}

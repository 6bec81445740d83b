use proc_macro2::{Literal, TokenStream};

use super::{routes, spec};
use crate::model::{Expr, Machine, Role, Sleep, State, Wait};

/// `impl Machine for ..`
pub(crate) fn machine(machine: &Machine) -> TokenStream {
    let interface = &machine.interface;
    let (root, name) = (&interface.root, &interface.name);
    let spec = spec::spec(machine);
    let message = interface.message_type();
    let partial = interface.partial();
    let (index, start) = &machine.start;
    let (seed, pattern, start) = match &interface.seed {
        None => (generated!(()), generated!((): ()), machine.states[*index].empty(start)),
        Some(seed) => {
            let start = machine.states[*index].seeded(start);
            (interface.beside(seed), generated!(seed: Self::Seed), start)
        }
    };
    let side = interface.side();
    let routes = routes::routes(machine);
    let service = routes::service(interface);
    let indexes = machine.states.iter().enumerate().map(|(index, state)| {
        let pattern = state.any();
        let index = Literal::usize_unsuffixed(index);
        generated!(#pattern => #index,)
    });
    let timing = timing(machine);
    let two = machine.states.iter().any(|state| matches!(times(state, root), (Some(_), Some(_))));
    let times = if two { generated!(TwoTimes) } else { generated!(OneTime) };
    generated! {
        #[automatically_derived]
        impl #root::Machine for #name {
            const SPEC: &'static #root::Spec = #spec;

            type Message = #message;
            type Partial = #partial;
            type Seed = #seed;
            type Side = #root::#side;
            type Times = #root::#times;

            #[inline]
            fn start(#pattern) -> Self {
                #start
            }

            #[inline]
            fn state(&self) -> usize {
                match self {
                    #(#indexes)*
                }
            }

            #[inline]
            fn timing(&self) -> #root::Timing {
                #timing
            }

            #routes
        }

        #service
    }
}

fn timing(machine: &Machine) -> TokenStream {
    let root = &machine.interface.root;
    let never = generated!(#root::Timing::NEVER);
    let mut arms = TokenStream::new();
    let mut unbounded = Vec::new();
    for state in &machine.states {
        let (within, idle) = times(state, root);
        if within.is_none() && idle.is_none() {
            unbounded.push(state.any());
            continue;
        }
        let pattern = match &state.role {
            Role::Active(active) => match &active.wait {
                Wait::Sleep(Sleep::Of { time, .. }) => state.some(&time.fields),
                _ => state.any(),
            },
            Role::Leaving(_) | Role::End => state.any(),
        };
        let (within, idle) = (within.unwrap_or(never.clone()), idle.unwrap_or(never.clone()));
        arms.extend(generated!(#pattern => #root::Timing { within: #within, idle: #idle },));
    }
    generated! {
        match self {
            #arms
            #(#unbounded)|* => #root::Timing { within: #never, idle: #never },
        }
    }
}

fn times(state: &State, root: &TokenStream) -> (Option<TokenStream>, Option<TokenStream>) {
    let literal = |millis: u64| {
        let millis = Literal::u64_unsuffixed(millis);
        generated!(#millis)
    };
    let entered = state.within().map(|(millis, _)| literal(*millis));
    let Role::Active(active) = &state.role else { return (entered, None) };
    let within = match &active.wait {
        Wait::Sleep(Sleep::Fixed(millis)) => Some(literal(*millis)),
        Wait::Sleep(Sleep::Of { time, max }) => {
            let max = literal(*max);
            let (fields, value) = (time.fields(), &time.value);
            Some(generated!({
                #fields
                #root::Timing::millis(#root::Pause::pause(#value), #max)
            }))
        }
        _ => entered,
    };
    (within, active.idle.as_ref().map(|(millis, _)| literal(*millis)))
}

impl Expr {
    /// Statements that make the fields in it shared references.
    pub(crate) fn fields(&self) -> TokenStream {
        let fields = &self.fields;
        generated!(#(let #fields = &*#fields;)*)
    }
}

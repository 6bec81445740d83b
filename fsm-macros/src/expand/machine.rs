use std::collections::BTreeMap;
use std::fmt::Write;

use proc_macro2::{Literal, TokenStream};

use super::text::parsed;
use super::{routes, spec};
use crate::ast::Expr;
use crate::model::{self, Role, Sleep};

/// `impl Machine for ..`
pub(crate) fn machine(machine: &model::Machine) -> TokenStream {
    let interface = &machine.interface;
    let name = &interface.name;
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
    let state = state(machine);
    let timing = timing(machine);
    let two = machine.states.iter().any(|state| matches!(times(state), (Some(_), Some(_))));
    let times = if two { generated!(TwoTimes) } else { generated!(OneTime) };
    generated! {
        #[automatically_derived]
        impl __rt::Machine for #name {
            const SPEC: &'static __rt::Spec = #spec;

            type Message = #message;
            type Partial = #partial;
            type Seed = #seed;
            type Side = __rt::#side;
            type Times = __rt::#times;

            #[inline]
            fn start(#pattern) -> Self {
                #start
            }

            #[inline]
            fn state(&self) -> usize {
                #state
            }

            #[inline]
            fn timing(&self) -> __rt::Timing {
                #timing
            }

            #routes
        }

        #service
    }
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

/// The deadlines of the current state; states with the same deadlines share an arm.
fn timing(machine: &model::Machine) -> TokenStream {
    let mut computed = TokenStream::new();
    let mut known: BTreeMap<(Option<u64>, Option<u64>), String> = BTreeMap::new();
    for state in &machine.states {
        if let Some(arm) = pause(state) {
            computed.extend(arm);
            continue;
        }
        let patterns = known.entry(times(state)).or_default();
        if !patterns.is_empty() {
            patterns.push('|');
        }
        patterns.push_str(&state.pattern());
    }
    let mut text = String::new();
    for ((within, idle), patterns) in &known {
        let [within, idle] = [within, idle].map(|time| match time {
            Some(millis) => millis.to_string(),
            None => "__rt::Timing::NEVER".to_owned(),
        });
        let _ = write!(text, "{patterns} => __rt::Timing {{ within: {within}, idle: {idle} }},");
    }
    let known = parsed(&text);
    generated! {
        match self {
            #computed
            #known
        }
    }
}

/// The arm of a state that sleeps as long as its data says.
fn pause(state: &model::State) -> Option<TokenStream> {
    let Role::Active(active) = &state.role else { return None };
    let model::Wait::Sleep(Sleep::Of { time, max }) = &active.wait else { return None };
    let pattern = state.some(&time.fields);
    let (fields, value, max) = (time.fields(), &time.value, Literal::u64_unsuffixed(*max));
    Some(generated! {
        #pattern => __rt::Timing {
            within: {
                #fields
                __rt::Timing::millis(__rt::Pause::pause(#value), #max)
            },
            idle: __rt::Timing::NEVER,
        },
    })
}

fn times(state: &model::State) -> (Option<u64>, Option<u64>) {
    let within = state.within().map(|deadline| deadline.millis);
    let Role::Active(active) = &state.role else { return (within, None) };
    let within = match &active.wait {
        model::Wait::Sleep(Sleep::Fixed(millis)) => Some(*millis),
        _ => within,
    };
    (within, active.idle.as_ref().map(|deadline| deadline.millis))
}

impl Expr {
    /// Statements that turn its fields into shared references.
    pub(crate) fn fields(&self) -> TokenStream {
        let fields = &self.fields;
        generated!(#(let #fields = &*#fields;)*)
    }
}

use proc_macro2::{Literal, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;

use crate::ast::Event;
use crate::model::{Edge, Machine, Role, Sleep, State, Take, Wait};

/// The graph as a constant expression.
pub(crate) fn spec(machine: &Machine) -> TokenStream {
    let root = &machine.interface.root;
    let name = machine.interface.name.unraw().to_string();
    let (docs, start) = (&machine.docs, Literal::usize_unsuffixed(machine.start.0));
    let messages = machine.interface.message.is_some();
    let starts = machine.interface.starts();
    let states = machine.states.iter().map(|state| self::state(state, root));
    generated! {
        &#root::Spec {
            name: #name,
            docs: #docs,
            start: #start,
            messages: #messages,
            starts: #root::Starts::#starts,
            states: &[#(#states),*],
        }
    }
}

fn state(state: &State, root: &TokenStream) -> TokenStream {
    let name = state.name.unraw().to_string();
    let (docs, rest) = (&state.docs, state.rest);
    let wait = match &state.role {
        Role::End => generated!(#root::Wait::End),
        Role::Active(active) => waits(&active.wait, root),
        Role::Leaving(leaving) => {
            let pool = &leaving.route.text;
            generated!(#root::Wait::HandOff { pool: #pool })
        }
    };
    let edges = state.edges.iter().map(|edge| self::edge(edge, root));
    let fields = state.fields.iter().map(|field| field.unraw().to_string());
    generated! {
        #root::State {
            name: #name,
            docs: #docs,
            wait: #wait,
            edges: &[#(#edges),*],
            rest: #rest,
            fields: &[#(#fields),*],
        }
    }
}

fn waits(wait: &Wait, root: &TokenStream) -> TokenStream {
    match wait {
        Wait::Read(read) => {
            let shape = match read.take {
                Take::Exact(_) | Take::ExactOf { .. } => generated!(Exact),
                Take::Until { .. } => generated!(Until),
                Take::Some { .. } => generated!(Some),
                Take::Upto { .. } => generated!(Upto),
                Take::Frame { .. } => generated!(Frame),
            };
            let (text, max) = (&read.text, read.take.max());
            generated! {
                #root::Wait::Read { shape: #root::Shape::#shape, text: #text, max: #max }
            }
        }
        Wait::Flush => generated!(#root::Wait::Flush),
        Wait::Drain { below } => {
            let below = &below.value;
            generated!(#root::Wait::Drain { below: #below })
        }
        Wait::Run { blocking } => generated!(#root::Wait::Run { blocking: #blocking }),
        Wait::Call(route) => {
            let pool = &route.text;
            generated!(#root::Wait::Call { pool: #pool })
        }
        Wait::Sleep(Sleep::Fixed(millis) | Sleep::Of { max: millis, .. }) => {
            let at_most = duration(*millis);
            generated!(#root::Wait::Sleep { at_most: #at_most })
        }
        Wait::Message { .. } => generated!(#root::Wait::Message),
    }
}

fn edge(edge: &Edge, root: &TokenStream) -> TokenStream {
    let target = Literal::usize_unsuffixed(edge.target);
    let on = match edge.on {
        None => generated!(Verdict),
        Some((Event::Within, millis)) => timed(&generated!(Within), millis),
        Some((Event::Idle, millis)) => timed(&generated!(Idle), millis),
        Some((Event::Eof, _)) => generated!(Eof),
        Some((Event::Limit, _)) => generated!(Limit),
        Some((Event::Error, _)) => generated!(Error),
        Some((Event::Full, _)) => generated!(Full),
        Some((Event::Gone, _)) => generated!(Gone),
    };
    generated!(#root::Edge { on: #root::On::#on, target: #target })
}

fn timed(event: &impl ToTokens, millis: u64) -> TokenStream {
    let time = duration(millis);
    generated!(#event(#time))
}

fn duration(millis: u64) -> TokenStream {
    let millis = Literal::u64_unsuffixed(millis);
    generated!(::core::time::Duration::from_millis(#millis))
}

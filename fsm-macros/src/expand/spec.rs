use std::fmt::Write;

use proc_macro2::TokenStream;
use syn::ext::IdentExt;

use super::parsed;
use crate::ast::Event;
use crate::model::{Edge, Machine, Role, Sleep, State, Take, Wait};

/// The graph as a constant expression, for a scope where `__rt` is the runtime.
pub(crate) fn spec(machine: &Machine) -> TokenStream {
    let name = machine.interface.name.unraw().to_string();
    let (docs, start) = (&machine.docs, machine.start.0);
    let (messages, starts) = (machine.interface.message.is_some(), machine.interface.starts());
    // What is named in here is all ours: it can have short names.
    let mut text = format!(
        "{{
            #[allow(unused_imports)]
            use ::core::time::Duration;
            #[allow(unused_imports)]
            use __rt::{{Edge, On, Shape, Spec, Starts, State, Wait}};
            &Spec {{
                name: {name:?},
                docs: {docs:?},
                start: {start},
                messages: {messages},
                starts: Starts::{starts},
                states: &["
    );
    for state in &machine.states {
        self::state(state, &mut text);
    }
    text.push_str("] } }");
    parsed(&text)
}

fn state(state: &State, text: &mut String) {
    let (name, docs) = (state.name.unraw().to_string(), &state.docs);
    let _ = write!(text, "State {{ name: {name:?}, docs: {docs:?}, wait: Wait::");
    match &state.role {
        Role::End => text.push_str("End"),
        Role::Active(active) => wait(&active.wait, text),
        Role::Leaving(leaving) => {
            let _ = write!(text, "HandOff {{ pool: {:?} }}", leaving.route.text);
        }
    }
    text.push_str(", edges: &[");
    for edge in &state.edges {
        self::edge(edge, text);
    }
    let _ = write!(text, "], rest: {}, fields: &[", state.rest);
    for field in &state.fields {
        let _ = write!(text, "{:?},", field.unraw().to_string());
    }
    text.push_str("] },");
}

fn wait(wait: &Wait, text: &mut String) {
    let _ = match wait {
        Wait::Read(read) => {
            let shape = match read.take {
                Take::Exact(_) | Take::ExactOf { .. } => "Exact",
                Take::Until { .. } => "Until",
                Take::Some { .. } => "Some",
                Take::Upto { .. } => "Upto",
                Take::Frame { .. } => "Frame",
            };
            let (says, max) = (&read.text, read.take.max());
            write!(text, "Read {{ shape: Shape::{shape}, text: {says:?}, max: {max} }}")
        }
        Wait::Flush => write!(text, "Flush"),
        Wait::Drain { below } => write!(text, "Drain {{ below: {} }}", below.value),
        Wait::Run { blocking } => write!(text, "Run {{ blocking: {blocking} }}"),
        Wait::Call(route) => write!(text, "Call {{ pool: {:?} }}", route.text),
        Wait::Sleep(Sleep::Fixed(millis) | Sleep::Of { max: millis, .. }) => {
            write!(text, "Sleep {{ at_most: Duration::from_millis({millis}) }}")
        }
        Wait::Message { .. } => write!(text, "Message"),
    };
}

fn edge(edge: &Edge, text: &mut String) {
    text.push_str("Edge { on: On::");
    let on = match edge.on {
        None => "Verdict",
        Some((Event::Within, millis)) => return timed("Within", millis, edge.target, text),
        Some((Event::Idle, millis)) => return timed("Idle", millis, edge.target, text),
        Some((Event::Eof, _)) => "Eof",
        Some((Event::Limit, _)) => "Limit",
        Some((Event::Error, _)) => "Error",
        Some((Event::Full, _)) => "Full",
        Some((Event::Gone, _)) => "Gone",
    };
    let _ = write!(text, "{on}, target: {} }},", edge.target);
}

fn timed(event: &str, millis: u64, target: usize, text: &mut String) {
    let _ = write!(text, "{event}(Duration::from_millis({millis})), target: {target} }},");
}

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::Type;

use super::{docs, partial};
use crate::ast::{self, Event, Pool, ShapeKind, WaitKind, unknown};
use crate::graph::Graph;
use crate::model::{
    Body, Checked, Contract, Handler, HandlerBeside, Interface, Payload, Received, ReceivedKind,
    Verdict,
};
use crate::spelling;

/// The module of a sound machine.
pub(crate) fn interface(machine: &ast::Machine, graph: &Graph<'_>) -> Option<Interface> {
    let mut handlers = Vec::new();
    for (index, state) in machine.states.iter().enumerate() {
        if state.is_end() || state.is_handoff() {
            continue;
        }
        let targets = graph.verdicts(index).map(|edge| (edge.target, edge.name));
        let verdicts: Vec<Verdict> =
            targets.map(|(target, name)| verdict(machine, graph, index, target, name)).collect();
        let mut handler = handler(machine, state, verdicts)?;
        handler.fails = machine.kind().fails && graph.on(index, Event::Error).is_some();
        handler.docs = docs::handler(machine, graph, index);
        for (method, wait) in handler.beside.iter_mut().zip(state.beside()) {
            method.docs = docs::beside(machine, graph, index, wait);
        }
        handlers.push(handler);
    }
    outline(machine, handlers)
}

pub(super) fn outline(machine: &ast::Machine, handlers: Vec<Handler>) -> Option<Interface> {
    let args = &machine.args;
    let name = &machine.name;
    let module = match &args.module {
        Some(module) if *module != *name => module.clone(),
        _ => spelling::identifier(&spelling::snake_case(name), name.span())?,
    };
    let reads = machine.states.iter().flat_map(|state| {
        state.wait().into_iter().chain(state.other_read()).map(move |wait| (state, wait))
    });
    let decoders = reads.filter_map(|(state, wait)| match &wait.kind {
        WaitKind::Read { shape: Some(shape), .. } => match &shape.kind {
            ShapeKind::Frame(decoder) => Some((partial(machine, state, wait), (**decoder).clone())),
            _ => None,
        },
        _ => None,
    });
    let mut interface = Interface {
        vis: machine.vis.clone(),
        allows: machine.allows.clone(),
        name: name.clone(),
        module,
        root: args.root(),
        keywords: machine.keywords.clone(),
        states: machine.names().filter(|name| !machine.is_group(name)).cloned().collect(),
        message: args.message.as_ref().map(|(_, message)| message.clone()),
        seed: seed(machine),
        job: job(machine),
        answers: machine.answers_jobs(),
        connects: machine.states.iter().any(ast::State::connects),
        settings: args.settings.as_ref().map(|(_, settings)| settings.clone()),
        moves: args.moves.is_some(),
        reply: reply(machine),
        error: args.error.as_ref().map(|(_, error)| error.clone()),
        handlers,
        decoders: decoders.collect(),
        checked: Vec::new(),
        unknown_size: None,
    };
    interface.checked = Checked::all(contracts(machine), |name| interface.has_item(name));
    Some(interface)
}

/// The types of pools and decoders, with what they must implement.
fn contracts(machine: &ast::Machine) -> impl Iterator<Item = (Contract, &Type)> {
    let waits = machine.states.iter().flat_map(|state| &state.waits);
    waits.filter_map(|wait| match &wait.kind {
        WaitKind::Call(pool) => Some((Contract::Service, &pool.as_ref()?.ty)),
        WaitKind::HandOff(pool) => Some((Contract::Machine, &pool.as_ref()?.ty)),
        WaitKind::Read { shape: Some(shape), .. } => match &shape.kind {
            ShapeKind::Frame(decoder) => Some((Contract::Frame, decoder.as_ref())),
            _ => None,
        },
        _ => None,
    })
}

pub(super) fn handler(
    machine: &ast::Machine,
    state: &ast::State,
    verdicts: Vec<Verdict>,
) -> Option<Handler> {
    let fields: Vec<_> =
        state.fields.iter().map(|field| (field.name.clone(), field.ty.clone())).collect();
    let main = state.wait().or(state.waits.first()).map(|wait| &wait.kind);
    let body = match (main, &verdicts[..]) {
        (Some(wait), [only])
            if wait.tells_nothing() && only.data.is_empty() && only.payload.is_none() =>
        {
            Body::Only(only.name.clone())
        }
        _ => Body::Required,
    };
    let beside = state.beside().filter_map(|wait| {
        Some(HandlerBeside {
            name: spelling::handler_beside(&state.name, &wait.suffix())?,
            docs: String::new(),
            received: received(machine, state, &wait.kind),
            may_wait_on: matches!(main, Some(WaitKind::Call(_))),
        })
    });
    Some(Handler {
        name: spelling::handler_name(&state.name)?,
        state: state.name.clone(),
        after: spelling::after_name(&state.name),
        to: state.to.as_ref().map_or(state.name.span(), |to| to.key.span()),
        docs: state.docs.clone(),
        received: main.and_then(|wait| received(machine, state, wait)),
        beside: beside.collect(),
        fails: false,
        cx: free("cx", state),
        fields,
        verdicts,
        body,
    })
}

/// The type of messages; `_` if a state waits for one and the machine names no type.
pub(super) fn message(machine: &ast::Machine) -> Option<Type> {
    let is_message = |wait: &ast::Wait| matches!(wait.kind, WaitKind::Message);
    match &machine.args.message {
        Some((_, message)) => Some(message.clone()),
        None if machine.args.incomplete => Some(unknown()),
        None => {
            let mut waits = machine.states.iter().flat_map(|state| &state.waits);
            waits.any(is_message).then(unknown)
        }
    }
}

/// The type of the job or the seed that starts the machine.
fn seed(machine: &ast::Machine) -> Option<Type> {
    if machine.runs_jobs() {
        return job(machine);
    }
    machine.args.seed.as_ref().map(|(_, seed)| seed.clone())
}

/// The type of the jobs.
fn job(machine: &ast::Machine) -> Option<Type> {
    let args = &machine.args;
    let written = args.job.as_ref().map(|(_, job)| job.clone());
    written.or_else(|| (args.is_job() || machine.answers_jobs()).then(unknown))
}

/// The type of the replies.
fn reply(machine: &ast::Machine) -> Option<Type> {
    let args = &machine.args;
    let written = args.reply.as_ref().map(|(_, reply)| reply.clone());
    written.or_else(|| (args.is_job() || machine.answers_jobs()).then(unknown))
}

/// `name`, changed until no field has it.
fn free(name: &str, state: &ast::State) -> Ident {
    let mut free = Ident::new(name, Span::call_site());
    while state.field(&free).is_some() {
        free = format_ident!("{free}_");
    }
    free
}

/// The parameter of the handler for what `wait` receives.
fn received(machine: &ast::Machine, state: &ast::State, wait: &WaitKind) -> Option<Received> {
    let kind = received_kind(machine, wait)?;
    let name = match (wait, &kind) {
        (_, ReceivedKind::Frame(_)) => "frame",
        (WaitKind::Message, _) => "message",
        (WaitKind::Job, _) => "job",
        (WaitKind::Connect, _) => "connected",
        (WaitKind::Relay(_), _) => "moved",
        (WaitKind::Tls { .. }, _) => "tls",
        (WaitKind::Call(_), _) => "reply",
        _ => "bytes",
    };
    Some(Received { name: free(name, state), kind })
}

fn received_kind(machine: &ast::Machine, wait: &WaitKind) -> Option<ReceivedKind> {
    match wait {
        WaitKind::Read { shape: Some(shape), .. } => Some(match &shape.kind {
            ShapeKind::Exact(length) | ShapeKind::Peek(length) => {
                ReceivedKind::Array(length.clone())
            }
            ShapeKind::Frame(decoder) => ReceivedKind::Frame(decoder.clone()),
            ShapeKind::ExactOf(_)
            | ShapeKind::Until(_)
            | ShapeKind::Some
            | ShapeKind::Upto(_)
            | ShapeKind::Datagram => ReceivedKind::Bytes,
            ShapeKind::Unknown => ReceivedKind::Unknown,
        }),
        WaitKind::Read { shape: None, .. } | WaitKind::Call(None) => Some(ReceivedKind::Unknown),
        WaitKind::Message => message(machine).map(|message| ReceivedKind::Message(message.into())),
        WaitKind::Connect => Some(ReceivedKind::Connected),
        WaitKind::Relay(_) => Some(ReceivedKind::Moved),
        WaitKind::Tls { .. } => Some(ReceivedKind::Tls),
        WaitKind::Job => job(machine).map(|job| ReceivedKind::Job(job.into())),
        WaitKind::Call(Some(pool)) => Some(ReceivedKind::Reply(pool.ty.clone().into())),
        _ => None,
    }
}

/// The verdict `name` of state `source` for state `target`.
pub(super) fn verdict(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    source: usize,
    target: usize,
    name: &Ident,
) -> Verdict {
    let state = &machine.states[target];
    let given = state.fields.iter().filter(|field| source != target && !field.carries());
    let payload = payload(machine, graph, source, state);
    // A field with the name of the payload is a finding already, and would cause another one here.
    let given =
        given.filter(|field| payload.as_ref().is_none_or(|payload| field.name != payload.name()));
    Verdict {
        name: name.clone(),
        docs: docs::verdict(state, source == target),
        data: given.map(|field| (field.name.clone(), field.ty.clone())).collect(),
        payload,
    }
}

/// The payload of a verdict of state `source` for `state`.
fn payload(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    source: usize,
    state: &ast::State,
) -> Option<Payload> {
    let named =
        |pool: &Option<Pool>| Box::new(pool.as_ref().map_or_else(unknown, |pool| pool.ty.clone()));
    match &state.main()?.kind {
        WaitKind::Call(pool) => Some(Payload::Job(named(pool))),
        WaitKind::HandOff(pool) => Some(Payload::Seed(named(pool))),
        WaitKind::Connect => Some(Payload::Target),
        WaitKind::End | WaitKind::Job if replies(machine, graph, source, state) => {
            reply(machine).map(|reply| Payload::Reply(reply.into()))
        }
        _ => None,
    }
}

/// Whether a verdict of state `source` for `target` replies to a job.
pub(super) fn replies(
    machine: &ast::Machine,
    graph: &Graph<'_>,
    source: usize,
    target: &ast::State,
) -> bool {
    if machine.runs_jobs() {
        return target.is_end();
    }
    let in_hand = graph.busy.has_job(source) || machine.states[source].waits_for_job();
    in_hand && (target.is_end() || target.waits_for_job())
}

//! [`ast`](crate::ast) to [`model`](crate::model), for a machine without findings.

mod docs;
mod interface;
mod picture;
mod stub;
mod wait;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

pub(crate) use self::interface::interface;
use self::interface::replies;
pub(crate) use self::stub::stub;
use crate::ast::{self, Event, Field, Pool, Size, WaitKind};
use crate::graph::{Edge, Graph};
use crate::model::{
    self, Active, Budget, Contract, Deadline, Delivery, FieldInit, HandOff, Interface, Outcome,
    Role, Route, RouteRef, Source, Tick, Time, Transition,
};
use crate::spelling;

/// The model of a machine without findings; `None` only if the checks have missed one.
pub(crate) fn lower(machine: &ast::Machine, graph: &Graph<'_>) -> Option<model::Machine> {
    let start = graph.start?;
    let end = machine.states.iter().find(|state| state.is_end())?.name.clone();
    let interface = interface(machine, graph)?;
    let first_edges = graph.edges.iter().scan(0, |next, edges| {
        let first = *next;
        *next += edges.len();
        Some(first)
    });
    let first_edges = first_edges.collect();
    let lowering = Lowering { machine, graph, interface: &interface, first_edges };
    let states = (0..machine.states.len()).map(|state| lowering.state(state));
    Some(model::Machine {
        docs: machine.docs.clone(),
        start: model::Start { index: start.index, name: start.name.clone() },
        end,
        states: states.collect::<Option<Vec<_>>>()?,
        bounds: machine.states.iter().flat_map(|state| lowering.bounds(state)).collect(),
        times: times(machine),
        budgets: machine.args.budgets.len(),
        has_detours: graph.has_detours(machine),
        size: machine.args.size.clone(),
        table: picture::table(machine, graph),
        mermaid: picture::mermaid(machine, graph),
        interface,
    })
}

fn bound_name(state: &ast::State, wait: &ast::Wait) -> Option<Ident> {
    let name = spelling::handler_name(&state.name)?.unraw().to_string().to_uppercase();
    let is_beside = state.other_read().is_some_and(|beside| std::ptr::eq(beside, wait));
    Some(if is_beside {
        format_ident!("__OTHER_MAX_{name}")
    } else {
        format_ident!("__MAX_{name}")
    })
}

/// The constants for the times that are paths.
fn times(machine: &ast::Machine) -> Vec<(Ident, TokenStream)> {
    let mut times = Vec::new();
    let mut add = |time: Option<&ast::Time>| {
        if let Some(ast::Time::Constant(path)) = time {
            let name = model::constant(path);
            if times.iter().all(|(known, _)| *known != name) {
                times.push((name, path.clone()));
            }
        }
    };
    for state in &machine.states {
        for wait in &state.waits {
            if let WaitKind::Sleep(pause) | WaitKind::Tick(pause) = &wait.kind {
                add(pause.as_ref());
            }
            for edge in &wait.edges.events {
                add(edge.time.as_ref());
            }
        }
    }
    for edge in &machine.args.defaults.events {
        add(edge.time.as_ref());
    }
    for budget in &machine.args.budgets {
        add(budget.edge.time.as_ref());
    }
    times
}

/// The variant of `Partial` for the decoder of a read: the name of its state, and another one for a read of the
/// other socket beside the main wait.
fn partial(machine: &ast::Machine, state: &ast::State, wait: &ast::Wait) -> Ident {
    if state.other_read().is_none_or(|beside| !std::ptr::eq(beside, wait)) {
        return state.name.clone();
    }
    let mut name = format_ident!("{}Other", state.name);
    while machine.states.iter().any(|state| state.name == name) {
        name = format_ident!("{name}_");
    }
    name
}

/// The name of the handler of a wait beside the main one.
fn beside(state: &ast::State, wait: &ast::Wait) -> Option<Ident> {
    spelling::handler_beside(&state.name, &wait.suffix())
}

fn tick(state: &ast::State) -> Option<Tick> {
    let wait = state.tick()?;
    let WaitKind::Tick(pause) = &wait.kind else { return None };
    let every = Time::new(pause.as_ref()?, &state.field_names());
    Some(Tick { handler: beside(state, wait)?, every })
}

struct Lowering<'a> {
    machine: &'a ast::Machine,
    graph: &'a Graph<'a>,
    interface: &'a Interface,
    /// For each state the number of the first of its edges in the machine.
    first_edges: Vec<usize>,
}

impl Lowering<'_> {
    /// The constants for the bounds of a state in bytes.
    fn bounds(&self, state: &ast::State) -> impl Iterator<Item = (Ident, TokenStream)> {
        let waits = state.wait().into_iter().chain(state.other_read());
        waits.filter_map(|wait| self.bound(state, wait))
    }

    /// The constant for the bound of a wait in bytes, unless the bound is a literal.
    fn bound(&self, state: &ast::State, wait: &ast::Wait) -> Option<(Ident, TokenStream)> {
        if let Some(decoder) = wait.kind.bounding_frame() {
            let place = Span::mixed_site().located_at(decoder.span());
            let decoder = self.interface.checked(Contract::Frame, decoder);
            // rustc says at the decoder if it has no bound.
            let bound =
                quote_spanned!(place=> __rt::__max_of(__rt::__LayoutOf::<#decoder>::LAYOUT));
            let bound = quote_spanned!(Span::mixed_site()=> { use __rt::__NoLayout as _; #bound });
            return Some((bound_name(state, wait)?, bound));
        }
        let size = match &wait.kind {
            WaitKind::Read { max: Some((_, size)), .. }
            | WaitKind::Writable { below: Some(size) } => size,
            WaitKind::Relay(relay) => relay.max.as_ref()?,
            _ => return None,
        };
        Some((bound_name(state, wait)?, size.value.clone())).filter(|_| !size.is_literal())
    }

    /// `size`, the bound of `wait`, as the generated code names it.
    fn named(&self, state: &ast::State, wait: &ast::Wait, size: &Size) -> TokenStream {
        self.bound(state, wait)
            .map_or_else(|| size.value.clone(), |(name, _)| name.into_token_stream())
    }

    fn state(&self, index: usize) -> Option<model::State> {
        let state = &self.machine.states[index];
        let fields = state.field_names();
        let edge = |edge: &Edge<'_>| model::SpecEdge {
            on: edge
                .declared
                .map(|edge| (edge.event, edge.time.as_ref().map(|time| Time::new(time, &fields)))),
            other: edge.other,
            target: edge.target,
        };
        Some(model::State {
            name: state.name.clone(),
            docs: state.docs.clone(),
            braced: state.braced,
            fields: state.fields.iter().map(|field| field.name.clone()).collect(),
            types: state.fields.iter().map(|field| field.ty.clone()).collect(),
            rest: state.rest.is_some(),
            keeps_place: state.keep.is_some(),
            edges: self.graph.edges[index].iter().map(edge).collect(),
            budget: self.budget(index),
            role: self.role(index)?,
        })
    }

    fn budget(&self, index: usize) -> Option<Budget> {
        let (number, _) = self.machine.budget_of(&self.machine.states[index])?;
        Some(Budget { number, deadline: self.deadline(index, Event::Budget)? })
    }

    fn role(&self, index: usize) -> Option<Role> {
        Some(match &self.machine.states[index].wait()?.kind {
            WaitKind::End => Role::End,
            WaitKind::HandOff(pool) => Role::HandOff(Box::new(HandOff {
                route: self.route(index, pool.as_ref()?, Contract::Machine)?,
                within: self.deadline(index, Event::Within),
            })),
            _ => Role::Active(self.active(index)?.into()),
        })
    }

    fn active(&self, index: usize) -> Option<Active> {
        let state = &self.machine.states[index];
        let name = &state.name;
        let verdicts = self.graph.verdicts(index).map(|edge| Outcome {
            verdict: edge.name.clone(),
            edge: self.number(index, edge),
            transition: (edge.target != index).then(|| self.transition(index, edge)),
            delivery: self.delivery(index, edge.target),
        });
        Some(Active {
            handler: spelling::handler_name(name)?,
            after: spelling::after_name(name),
            wait: self.wait(index)?,
            verdicts: verdicts.collect(),
            error: self.on(index, Event::Error).filter(|_| self.machine.kind().fails),
            within: self.deadline(index, Event::Within),
            idle: self.deadline(index, Event::Idle),
            begun: self.deadline(index, Event::Begun),
            half_closed: self.deadline(index, Event::HalfClosed),
            drain: self.on(index, Event::Drain),
            other: match state.other_read() {
                Some(wait) => Some(self.other_read(index, wait)?),
                None => None,
            },
            message: state.message().and_then(|wait| beside(state, wait)),
            tick: tick(state),
        })
    }

    /// The use of the payload of a verdict of state `source` for state `target`.
    fn delivery(&self, source: usize, target: usize) -> Option<Delivery> {
        let state = &self.machine.states[target];
        if replies(self.machine, self.graph, source, state) {
            let (_, reply) = self.machine.args.reply.as_ref()?;
            let reply = reply.clone().into();
            let answers = self.machine.answers_jobs();
            return Some(if answers { Delivery::Answer(reply) } else { Delivery::Reply(reply) });
        }
        let route = |pool: &Option<Pool>, contract| {
            let before = self.machine.states[..target].iter();
            Some(RouteRef {
                ty: self.interface.checked(contract, &pool.as_ref()?.ty).into(),
                number: before.filter(|state| state.leads_out()).count(),
                waits_for_room: self.graph.on(target, Event::Full).is_none(),
            })
        };
        match &state.wait()?.kind {
            WaitKind::Call(pool) => Some(Delivery::Job(route(pool, Contract::Service)?)),
            WaitKind::HandOff(pool) => Some(Delivery::Seed(route(pool, Contract::Machine)?)),
            WaitKind::Connect => Some(Delivery::Target),
            _ => None,
        }
    }

    fn route(&self, index: usize, pool: &Pool, contract: Contract) -> Option<Route> {
        Some(Route {
            ty: self.interface.checked(contract, &pool.ty),
            text: pool.text.clone(),
            full: self.on(index, Event::Full),
            gone: self.on(index, Event::Gone)?,
            eof: self.on(index, Event::Eof),
        })
    }

    fn deadline(&self, index: usize, event: Event) -> Option<Deadline> {
        self.deadline_of(index, self.graph.on(index, event)?)
    }

    fn deadline_of(&self, index: usize, edge: &Edge<'_>) -> Option<Deadline> {
        let fields = self.machine.states[index].field_names();
        let time = Time::new(edge.declared?.time.as_ref()?, &fields);
        Some(Deadline { time, transition: self.transition(index, edge) })
    }

    fn on(&self, index: usize, event: Event) -> Option<Transition> {
        Some(self.transition(index, self.graph.on(index, event)?))
    }

    fn transition(&self, source: usize, edge: &Edge<'_>) -> Transition {
        let target = &self.machine.states[edge.target];
        let leaves = self.machine.states[source].is_handoff();
        let from = |field: &Field| match edge.event() {
            _ if field.carries() => Source::Carry,
            Some(Event::Error | Event::Refused) => Source::Error,
            Some(Event::Full) if leaves => Source::Seed,
            Some(Event::Full) => Source::Job,
            _ => Source::Verdict,
        };
        let inits: Vec<FieldInit> = target
            .fields
            .iter()
            .map(|field| FieldInit { field: field.name.clone(), source: from(field) })
            .collect();
        let to_itself = edge.target == source;
        let stays = to_itself && inits.iter().all(|init| init.source == Source::Carry);
        Transition {
            edge: self.number(source, edge),
            target: edge.name.clone(),
            braced: target.braced,
            inits,
            to_itself,
            stays,
        }
    }

    /// The number of an edge of a state in the machine, as the runtime counts edges: those of the first state
    /// come first, each in the order of its state.
    fn number(&self, source: usize, edge: &Edge<'_>) -> usize {
        let edges = &self.graph.edges[source];
        let place = edges.iter().position(|found| std::ptr::eq(found, edge));
        self.first_edges[source] + place.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;

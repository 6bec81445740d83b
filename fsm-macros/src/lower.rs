//! [`ast`](crate::ast) to [`model`](crate::model), for a machine without findings.

mod docs;
mod interface;
mod picture;
mod stub;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;

pub(crate) use self::interface::interface;
pub(crate) use self::stub::stub;
use crate::ast::{self, Cut, Event, Expr, Field, Kind, Pool, Shape, Size};
use crate::graph::{Edge, Graph};
use crate::model::{
    self, Active, Deadline, Delivery, FieldInit, HandOff, Outcome, Read, Role, Route, RouteRef,
    Sleep, Source, Take, Transition,
};
use crate::spelling;

/// The model of a machine without findings; `None` only if the checks have missed one.
pub(crate) fn lower(machine: &ast::Machine, graph: &Graph<'_>) -> Option<model::Machine> {
    let (start, name) = graph.start?;
    let end = machine.states.iter().find(|state| state.is_end())?.name.clone();
    let interface = interface(machine, graph)?;
    let lowering = Lowering { machine, graph };
    let states = (0..machine.states.len()).map(|state| lowering.state(state));
    Some(model::Machine {
        docs: machine.docs.clone(),
        start: (start, name.clone()),
        end,
        states: states.collect::<Option<Vec<_>>>()?,
        bounds: machine.states.iter().filter_map(bound).collect(),
        budget: machine.args.size.clone(),
        table: picture::table(machine, graph),
        mermaid: picture::mermaid(machine, graph),
        interface,
    })
}

/// The constant for the bound of a state in bytes, unless the bound is a literal.
fn bound(state: &ast::State) -> Option<(Ident, TokenStream)> {
    let (Kind::Read { max: Some((_, size)), .. } | Kind::Writable { below: Some(size) }) =
        &state.wait()?.kind
    else {
        return None;
    };
    let name = spelling::handler_name(&state.name)?.unraw().to_string().to_uppercase();
    (!size.is_literal()).then(|| (format_ident!("__MAX_{name}"), size.value.clone()))
}

/// `size` as the generated code names it.
fn named(state: &ast::State, size: &Size) -> Size {
    let value =
        bound(state).map_or_else(|| size.value.clone(), |(name, _)| name.into_token_stream());
    Size { value, text: size.text.clone() }
}

struct Lowering<'a> {
    machine: &'a ast::Machine,
    graph: &'a Graph<'a>,
}

impl Lowering<'_> {
    fn state(&self, index: usize) -> Option<model::State> {
        let state = &self.machine.states[index];
        let edge = |edge: &Edge<'_>| model::SpecEdge {
            on: edge.answer.map(|answer| (answer.event, answer.millis)),
            target: edge.target,
        };
        Some(model::State {
            name: state.name.clone(),
            docs: state.docs.clone(),
            braced: state.braced,
            fields: state.fields.iter().map(|field| field.name.clone()).collect(),
            types: state.fields.iter().map(|field| field.ty.clone()).collect(),
            rest: state.rest.is_some(),
            edges: self.graph.edges[index].iter().map(edge).collect(),
            role: self.role(index)?,
        })
    }

    fn role(&self, index: usize) -> Option<Role> {
        Some(match &self.machine.states[index].wait()?.kind {
            Kind::End => Role::End,
            Kind::HandOff(pool) => Role::HandOff(Box::new(HandOff {
                route: self.route(index, pool.as_ref()?)?,
                within: self.deadline(index, Event::Within),
            })),
            _ => Role::Active(self.active(index)?.into()),
        })
    }

    fn active(&self, index: usize) -> Option<Active> {
        let name = &self.machine.states[index].name;
        let fails = self.machine.args.error.is_some();
        let verdicts = self.graph.verdicts(index).map(|edge| Outcome {
            verdict: edge.name.clone(),
            transition: (edge.target != index).then(|| self.transition(index, edge)),
            delivery: self.delivery(edge.target),
        });
        Some(Active {
            handler: spelling::handler_name(name)?,
            after: spelling::after_name(name),
            wait: self.wait(index)?,
            verdicts: verdicts.collect(),
            error: if fails { Some(self.on(index, Event::Error)?) } else { None },
            within: self.deadline(index, Event::Within),
            idle: self.deadline(index, Event::Idle),
        })
    }

    /// The use of the payload of a verdict for state `target`.
    fn delivery(&self, target: usize) -> Option<Delivery> {
        let route = |pool: &Option<Pool>| {
            let before = self.machine.states[..target].iter();
            Some(RouteRef {
                ty: pool.as_ref()?.ty.clone().into(),
                number: before.filter(|state| state.payload_name().is_some()).count(),
                parks: self.graph.on(target, Event::Full).is_none(),
            })
        };
        match &self.machine.states[target].wait()?.kind {
            Kind::Call(pool) => Some(Delivery::Job(route(pool)?)),
            Kind::HandOff(pool) => Some(Delivery::Seed(route(pool)?)),
            Kind::End => {
                let (_, reply) = self.machine.args.reply.as_ref()?;
                Some(Delivery::Reply(reply.clone().into()))
            }
            _ => None,
        }
    }

    fn route(&self, index: usize, pool: &Pool) -> Option<Route> {
        Some(Route {
            ty: pool.ty.clone(),
            text: pool.text.clone(),
            full: self.on(index, Event::Full),
            gone: self.on(index, Event::Gone)?,
        })
    }

    fn wait(&self, index: usize) -> Option<model::Wait> {
        let state = &self.machine.states[index];
        let fields: Vec<Ident> = state.fields.iter().map(|field| field.name.clone()).collect();
        Some(match &state.wait()?.kind {
            Kind::Read { shape, max } => {
                let max = max.as_ref().map(|(_, max)| named(state, max));
                model::Wait::Read(self.read(index, shape.as_ref()?, max, &fields)?.into())
            }
            Kind::Flush => model::Wait::Flush,
            Kind::Writable { below } => {
                model::Wait::Writable { below: named(state, below.as_ref()?) }
            }
            Kind::Run { blocking } => model::Wait::Run { blocking: *blocking },
            Kind::Sleep(pause) => model::Wait::Sleep(Sleep::new(pause.as_ref()?, &fields)),
            Kind::Message if self.machine.args.is_job() => model::Wait::Message { eof: None },
            Kind::Message => model::Wait::Message { eof: Some(self.on(index, Event::Eof)?) },
            Kind::Call(pool) => model::Wait::Call(self.route(index, pool.as_ref()?)?.into()),
            Kind::HandOff(_) | Kind::End => return None,
        })
    }

    fn read(
        &self,
        index: usize,
        shape: &Shape,
        max: Option<Size>,
        fields: &[Ident],
    ) -> Option<Read> {
        let take = match &shape.cut {
            Cut::Exact(length) => Take::Exact(length.clone()),
            Cut::ExactOf(length) => Take::ExactOf {
                length: Expr::new(length, fields),
                max: max?,
                limit: self.on(index, Event::Limit)?,
            },
            Cut::Until(delimiter) => Take::Until {
                delimiter: delimiter.clone(),
                max: max?,
                limit: self.on(index, Event::Limit)?,
            },
            Cut::Some => Take::Some { max: max? },
            Cut::Upto(length) => Take::Upto { length: Expr::new(length, fields), max: max? },
            Cut::Frame(decoder) => Take::Frame {
                decoder: decoder.clone(),
                max: max?,
                limit: self.on(index, Event::Limit)?,
                error: self.on(index, Event::Error)?,
            },
            Cut::Unknown => return None,
        };
        Some(Read { text: shape.text.clone(), take, eof: self.on(index, Event::Eof)? })
    }

    fn deadline(&self, index: usize, event: Event) -> Option<Deadline> {
        let edge = self.graph.on(index, event)?;
        Some(Deadline { millis: edge.answer?.millis, transition: self.transition(index, edge) })
    }

    fn on(&self, index: usize, event: Event) -> Option<Transition> {
        Some(self.transition(index, self.graph.on(index, event)?))
    }

    fn transition(&self, source: usize, edge: &Edge<'_>) -> Transition {
        let target = &self.machine.states[edge.target];
        let leaves = self.machine.states[source].is_handoff();
        let from = |field: &Field| match edge.event() {
            _ if field.carries() => Source::Carry,
            Some(Event::Error) => Source::Error,
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
        Transition { target: edge.name.clone(), braced: target.braced, inits, to_itself, stays }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Errors;

    fn lowered(args: &str, states: &str) -> model::Machine {
        let mut errors = Errors::default();
        let item = format!("enum M {{ {states} }}");
        let machine = crate::parse::tests::machine(args, &item, &mut errors);
        let graph = crate::check::check(&machine, &mut errors);
        assert_eq!(errors.messages(), [""; 0]);
        lower(&machine, &graph).unwrap()
    }

    /// Each edge as `event target`, with how the target's fields are filled.
    fn transitions<'a>(state: &'a model::State) -> Vec<String> {
        let timed = |event: &str, deadline: &'a Deadline| {
            (format!("{event} {}", deadline.millis), Some(&deadline.transition))
        };
        let mut transitions: Vec<(String, Option<&Transition>)> = Vec::new();
        if let Role::Active(active) = &state.role {
            transitions.extend(active.verdicts.iter().map(|outcome| {
                let payload = outcome.delivery.as_ref().map(payload).unwrap_or_default();
                (format!("verdict {}{payload}", outcome.verdict), outcome.transition.as_ref())
            }));
        }
        transitions.extend(state.within().map(|deadline| timed("within", deadline)));
        if let Role::Active(active) = &state.role {
            transitions.extend(active.idle.iter().map(|deadline| timed("idle", deadline)));
            match &active.wait {
                model::Wait::Read(read) => transitions.push(("eof".to_owned(), Some(&read.eof))),
                model::Wait::Message { eof } => {
                    transitions.extend(eof.iter().map(|eof| ("eof".to_owned(), Some(eof))));
                }
                _ => {}
            }
            transitions.extend(
                active.error.iter().map(|transition| ("error".to_owned(), Some(transition))),
            );
        }
        if let Some(route) = state.route() {
            transitions
                .extend(route.full.iter().map(|transition| ("full".to_owned(), Some(transition))));
            transitions.push(("gone".to_owned(), Some(&route.gone)));
        }
        transitions
            .into_iter()
            .map(|(on, transition)| format!("{on}: {}", transition.map_or("stay".into(), way)))
            .collect()
    }

    fn payload(delivery: &Delivery) -> String {
        let numbered = |name: &str, out: &RouteRef| {
            format!(" {name} {}{}", out.number, if out.parks { " parks" } else { "" })
        };
        match delivery {
            Delivery::Job(out) => numbered("job", out),
            Delivery::Seed(out) => numbered("seed", out),
            Delivery::Reply(_) => " reply".to_owned(),
        }
    }

    fn way(transition: &Transition) -> String {
        let mut way = if transition.stays { "stay as ".to_owned() } else { String::new() };
        way.push_str(&transition.target.to_string());
        for init in &transition.inits {
            let source = match init.source {
                Source::Verdict => "verdict",
                Source::Carry => "carry",
                Source::Error => "error",
                Source::Job => "job",
                Source::Seed => "seed",
            };
            way.extend([" ", &init.field.to_string(), "<-", source]);
        }
        way
    }

    #[test]
    fn edges_become_moves() {
        let machine = lowered(
            "start = A, eof => D, within = 1s => D, error = E, error => F, Both = A | B",
            "#[read(some, max = 1)] #[to(Both)] A,
             #[read(upto = x, max = 1, idle = 2s => C)] #[to(B | C)] B { x: u8, y: u8 },
             #[sleep(1s)] #[to(D)] C { #[carry] y: u8 },
             #[end] D,
             #[run(error => D)] #[to(D)] F { #[error] why: E }",
        );
        assert_eq!(machine.start.0, 0);
        assert_eq!(machine.end, "D");
        assert_eq!(
            transitions(&machine.states[0]),
            [
                "verdict A: stay",
                "verdict B: B x<-verdict y<-verdict",
                "within 1000: D",
                "eof: D",
                "error: F why<-error",
            ]
        );
        assert_eq!(
            transitions(&machine.states[1]),
            [
                "verdict B: stay",
                "verdict C: C y<-carry",
                "idle 2000: C y<-carry",
                "eof: D",
                "error: F why<-error",
            ]
        );
        assert_eq!(transitions(&machine.states[4]), ["verdict D: D", "error: D"]);
    }

    #[test]
    fn what_verdicts_give_goes_out() {
        let machine = lowered(
            "start = A, gone => D, within = 1s => D, seed = S",
            "#[run] #[to(B | C | D)] A { x: u8 },
             #[call(S, full => E)] #[to(B | C)] B { #[carry] x: u8 },
             #[handoff(M, full => E)] C,
             #[end] D,
             #[call(S)] #[to(D)] G { y: u8 },
             #[run] #[to(G)] E { #[job] #[seed] back: J }",
        );
        assert_eq!(
            transitions(&machine.states[0]),
            ["verdict B job 0: B x<-carry", "verdict C seed 1: C", "verdict D: D"]
        );
        assert_eq!(
            transitions(&machine.states[1]),
            [
                "verdict B job 0: stay",
                "verdict C seed 1: C",
                "within 1000: D",
                "full: E back<-job",
                "gone: D",
            ]
        );
        assert_eq!(
            transitions(&machine.states[2]),
            ["within 1000: D", "full: E back<-seed", "gone: D"]
        );
        assert_eq!(transitions(&machine.states[5]), ["verdict G job 2 parks: G y<-verdict"]);
    }

    #[test]
    fn an_end_of_a_job_has_the_reply() {
        let machine = lowered(
            "start = A, job = J, reply = R, message = M",
            "#[run(blocking)] #[to(B)] A { x: u8 }, #[message(within = never)] #[to(C)] B, #[end] C",
        );
        assert_eq!(transitions(&machine.states[1]), ["verdict C reply: C"]);
        assert_eq!(transitions(&machine.states[0]), ["verdict B: B"]);
    }

    #[test]
    fn an_automatic_edge_back_keeps_the_data() {
        let machine = lowered(
            "start = A",
            "#[run] #[to(B)] A, #[run] #[to(C)] B { x: u8 },
             #[flush(within = 1s => C, idle = 9s => D)] #[to(D)] C { #[carry] x: u8 }, #[end] D",
        );
        assert_eq!(
            transitions(&machine.states[2]),
            ["verdict D: D", "within 1000: stay as C x<-carry", "idle 9000: D"]
        );
    }

    #[test]
    fn expressions_know_their_fields() {
        let fields = ["left", "head", "other"].map(|name| syn::parse_str(name).unwrap());
        let expr = Expr::new(&"head.len() + (left - 1) + head.x".parse().unwrap(), &fields);
        assert_eq!(expr.fields, ["head", "left"]);
    }
}

//! A sound machine: names are indexes, and nothing is optional that the checks require.
//!
//! `ast` and `model` both have a `Machine`, a `State`, a `Wait` and a `Shape`, as the author wrote
//! them and as the checks left them. Other modules write these with their module, such as
//! `model::State`.

mod checked;
mod interface;
mod wait;

use proc_macro2::{Ident, TokenStream};
use quote::format_ident;
use syn::Type;

pub(crate) use self::checked::{Checked, Contract};
pub(crate) use self::interface::{
    Body, Handler, HandlerBeside, Interface, Payload, Received, ReceivedKind, Verdict,
};
pub(crate) use self::wait::{
    Bound, Discard, DiscardEnd, Read, Relay, ServerName, Shape, Time, Wait,
};
use crate::ast::{self, Event, Expr};
use crate::spelling;

pub(crate) struct Machine {
    pub(crate) docs: String,
    pub(crate) start: Start,
    /// A state without data, which replaces the machine while its data moves.
    pub(crate) end: Ident,
    /// Constants for the bounds that are expressions.
    pub(crate) bounds: Vec<(Ident, TokenStream)>,
    /// Constants for the milliseconds of the times that are constants.
    pub(crate) times: Vec<(Ident, TokenStream)>,
    pub(crate) size: Option<ast::Budget>,
    /// Whether times that count from a read must go on while the machine is in other states.
    pub(crate) has_detours: bool,
    /// The number of groups that have a time.
    pub(crate) budgets: usize,
    /// The graph in the enum's docs.
    pub(crate) table: String,
    pub(crate) mermaid: String,
    pub(crate) states: Vec<State>,
    pub(crate) interface: Interface,
}

/// The state in which a machine starts.
pub(crate) struct Start {
    pub(crate) index: usize,
    /// The name in `start = ..`, with its span.
    pub(crate) name: Ident,
}

pub(crate) struct State {
    pub(crate) name: Ident,
    pub(crate) docs: String,
    pub(crate) braced: bool,
    pub(crate) fields: Vec<Ident>,
    pub(crate) types: Vec<Type>,
    pub(crate) rest: bool,
    /// A newcomer does not take the place of a connection at rest.
    pub(crate) keeps_place: bool,
    pub(crate) edges: Vec<SpecEdge>,
    pub(crate) budget: Option<Budget>,
    pub(crate) role: Role,
}

/// The time of the group that a state is in.
pub(crate) struct Budget {
    /// The number of the budget in the machine.
    pub(crate) number: usize,
    pub(crate) deadline: Deadline,
}

/// An edge as the graph shows it.
pub(crate) struct SpecEdge {
    /// The event and its time; `None` for a verdict.
    pub(crate) on: Option<(Event, Option<Time>)>,
    /// The event is one of the read of the other socket beside the main wait.
    pub(crate) other: bool,
    pub(crate) target: usize,
}

pub(crate) enum Role {
    End,
    Active(Box<Active>),
    /// The connection leaves for another pool.
    HandOff(Box<HandOff>),
}

/// A state without a handler, from which the connection goes to another pool.
pub(crate) struct HandOff {
    pub(crate) route: Route,
    pub(crate) within: Option<Deadline>,
}

/// A bound of a state in time, and where it leads.
pub(crate) struct Deadline {
    pub(crate) time: Time,
    pub(crate) transition: Transition,
}

/// The route from a state to another pool.
pub(crate) struct Route {
    /// The service, or the machine.
    pub(crate) ty: Type,
    /// As the author wrote it.
    pub(crate) text: String,
    /// The transition when the pool has no room; with `None` the state waits for room.
    pub(crate) full: Option<Transition>,
    pub(crate) gone: Transition,
    /// The transition when the peer ends its stream, which withdraws the job.
    pub(crate) eof: Option<Transition>,
}

/// The effect of a verdict.
pub(crate) struct Outcome {
    pub(crate) verdict: Ident,
    /// The number of its edge in the machine.
    pub(crate) edge: usize,
    /// `None` for the verdict to stay.
    pub(crate) transition: Option<Transition>,
    pub(crate) delivery: Option<Delivery>,
}

/// The use of the payload of a verdict.
pub(crate) enum Delivery {
    Job(RouteRef),
    Seed(RouteRef),
    /// The reply, of this type, ends the job.
    Reply(Box<Type>),
    /// The reply, of this type, is that of the connection to the job that it has in hand.
    Answer(Box<Type>),
    /// The target is connected to.
    Target,
}

/// The route that a verdict takes.
pub(crate) struct RouteRef {
    pub(crate) ty: Box<Type>,
    /// Its number in the machine.
    pub(crate) number: usize,
    /// The state waits for room.
    pub(crate) waits_for_room: bool,
}

/// A state with a handler.
pub(crate) struct Active {
    pub(crate) handler: Ident,
    pub(crate) after: Ident,
    pub(crate) wait: Wait,
    pub(crate) verdicts: Vec<Outcome>,
    /// The transition on an error of the handler, if it returns errors.
    pub(crate) error: Option<Transition>,
    pub(crate) within: Option<Deadline>,
    pub(crate) idle: Option<Deadline>,
    pub(crate) begun: Option<Deadline>,
    pub(crate) half_closed: Option<Deadline>,
    pub(crate) drain: Option<Transition>,
    /// The read of the other socket beside the main wait.
    pub(crate) other: Option<OtherRead>,
    /// The handler of messages beside the main wait.
    pub(crate) message: Option<Ident>,
    pub(crate) tick: Option<Tick>,
}

/// A read of the other socket beside the main wait of a state.
pub(crate) struct OtherRead {
    pub(crate) handler: Ident,
    pub(crate) read: Read,
    pub(crate) idle: Option<Deadline>,
}

/// A time beside the main wait of a state, after which a handler is called again and again.
pub(crate) struct Tick {
    pub(crate) handler: Ident,
    pub(crate) every: Time,
}

/// A transition to a state.
#[derive(Clone)]
pub(crate) struct Transition {
    /// The number of its edge in the machine.
    pub(crate) edge: usize,
    /// The name of the target, with the span of the edge.
    pub(crate) target: Ident,
    pub(crate) braced: bool,
    pub(crate) inits: Vec<FieldInit>,
    /// The target is the source.
    pub(crate) to_itself: bool,
    /// The target is the source, and keeps all its data.
    pub(crate) stays: bool,
}

/// The source of a field of the target.
#[derive(Clone)]
pub(crate) struct FieldInit {
    pub(crate) field: Ident,
    pub(crate) source: Source,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Verdict,
    Carry,
    Error,
    /// The job that comes back.
    Job,
    /// The seed that comes back.
    Seed,
}

impl State {
    /// The handler and the wait, if the state has them.
    pub(crate) fn active(&self) -> Option<&Active> {
        match &self.role {
            Role::Active(active) => Some(active),
            Role::End | Role::HandOff(_) => None,
        }
    }

    /// The deadline that is counted from entering the state.
    pub(crate) fn within(&self) -> Option<&Deadline> {
        match &self.role {
            Role::End => None,
            Role::Active(active) => active.within.as_ref(),
            Role::HandOff(handoff) => handoff.within.as_ref(),
        }
    }

    /// Whether the state waits for a job.
    pub(crate) fn waits_for_job(&self) -> bool {
        self.active().is_some_and(|active| matches!(active.wait, Wait::Job { .. }))
    }

    /// Whether the state connects the other socket, or passes bytes on.
    pub(crate) fn joins(&self) -> bool {
        let joins = |active: &Active| matches!(active.wait, Wait::Connect { .. } | Wait::Relay(_));
        self.active().is_some_and(joins)
    }

    /// Whether the state begins TLS.
    pub(crate) fn begins_tls(&self) -> bool {
        self.active().is_some_and(|active| matches!(active.wait, Wait::Tls { .. }))
    }

    /// The route to another pool, if the state has one.
    pub(crate) fn route(&self) -> Option<&Route> {
        match &self.role {
            Role::HandOff(handoff) => Some(&handoff.route),
            Role::Active(active) => match &active.wait {
                Wait::Call(route) => Some(route),
                _ => None,
            },
            Role::End => None,
        }
    }
}

impl Time {
    pub(crate) fn new(pause: &ast::Time, fields: &[Ident]) -> Self {
        match pause {
            ast::Time::Fixed(millis) => Self::Fixed(*millis),
            ast::Time::Of { time, max } => Self::Of { time: Expr::new(time, fields), max: *max },
            ast::Time::Constant(path) => Self::Constant(constant(path)),
        }
    }

    /// The time or its bound in milliseconds, as an expression.
    pub(crate) fn at_most(&self) -> String {
        match self {
            Self::Fixed(millis) | Self::Of { max: millis, .. } => millis.to_string(),
            Self::Constant(name) => name.to_string(),
        }
    }
}

/// The name of the constant for the milliseconds of a `Duration`.
pub(crate) fn constant(path: &TokenStream) -> Ident {
    let name: String = path.to_string().chars().filter(|letter| !letter.is_whitespace()).collect();
    format_ident!("__TIME_{}", name.replace(|letter: char| !letter.is_alphanumeric(), "_"))
}

impl State {
    /// The decoder of the frames that it reads.
    pub(crate) fn decoder(&self) -> Option<&Type> {
        let Role::Active(active) = &self.role else { return None };
        match &active.wait {
            Wait::Read(read) => read.decoder(),
            _ => None,
        }
    }

    /// The name of the constant for the layout of the frames that it reads.
    pub(crate) fn layout(&self) -> Option<Ident> {
        self.decoder()?;
        let name = spelling::snake_case(&self.name).to_uppercase();
        Some(format_ident!("__LAYOUT_{name}"))
    }
}

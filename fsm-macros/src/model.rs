//! A machine that is known to be sound: names are indexes, and nothing optional is left that the
//! checks have settled.

mod interface;

use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use syn::Type;

pub(crate) use self::interface::{
    Body, Handler, Interface, Payload, Received, ReceivedKind, Verdict,
};
use crate::ast::{Budget, Event, Expr, Pause, Size};

pub(crate) struct Machine {
    pub(crate) docs: String,
    /// The start state, by its name in `start = ..`.
    pub(crate) start: (usize, Ident),
    /// A state without data, which stands in while data moves.
    pub(crate) end: Ident,
    /// Constants that hold what the author wrote for a bound.
    pub(crate) bounds: Vec<(Ident, TokenStream)>,
    pub(crate) budget: Option<Budget>,
    /// The graph in the enum's docs.
    pub(crate) table: String,
    pub(crate) mermaid: String,
    pub(crate) states: Vec<State>,
    pub(crate) interface: Interface,
}

pub(crate) struct State {
    pub(crate) name: Ident,
    pub(crate) docs: String,
    pub(crate) braced: bool,
    pub(crate) fields: Vec<Ident>,
    pub(crate) types: Vec<Type>,
    pub(crate) rest: bool,
    pub(crate) edges: Vec<SpecEdge>,
    pub(crate) role: Role,
}

/// An edge as the graph shows it.
pub(crate) struct SpecEdge {
    /// The event and its time in milliseconds; `None` for a verdict.
    pub(crate) on: Option<(Event, u64)>,
    pub(crate) target: usize,
}

pub(crate) enum Role {
    End,
    Active(Box<Active>),
    /// The connection leaves.
    HandOff(Box<HandOff>),
}

/// A state without a handler, from which the connection goes to another pool.
pub(crate) struct HandOff {
    pub(crate) route: Route,
    pub(crate) within: Option<Deadline>,
}

/// A bound of a state in time, and where it leads.
pub(crate) struct Deadline {
    pub(crate) millis: u64,
    pub(crate) transition: Transition,
}

/// Where a state leads out of its pool.
pub(crate) struct Route {
    /// The service, or the machine.
    pub(crate) ty: Type,
    /// As the author wrote it.
    pub(crate) text: String,
    /// Where it leads if there is no room; `None` waits for some.
    pub(crate) full: Option<Transition>,
    pub(crate) gone: Transition,
}

/// What a verdict does.
pub(crate) struct Outcome {
    pub(crate) verdict: Ident,
    /// `None` stays.
    pub(crate) transition: Option<Transition>,
    pub(crate) delivery: Option<Delivery>,
}

/// What is done with what a verdict gives.
pub(crate) enum Delivery {
    Job(RouteRef),
    Seed(RouteRef),
    /// It ends the job with a reply of this type.
    Reply(Box<Type>),
}

/// A route as the verdict that takes it sees it.
pub(crate) struct RouteRef {
    pub(crate) ty: Box<Type>,
    /// Its number in the machine.
    pub(crate) number: usize,
    /// The state waits for room.
    pub(crate) parks: bool,
}

/// A state with a handler.
pub(crate) struct Active {
    pub(crate) handler: Ident,
    pub(crate) after: Ident,
    pub(crate) wait: Wait,
    pub(crate) verdicts: Vec<Outcome>,
    /// Where an error of the handler leads, in a machine whose handlers have errors.
    pub(crate) error: Option<Transition>,
    pub(crate) within: Option<Deadline>,
    pub(crate) idle: Option<Deadline>,
}

pub(crate) enum Wait {
    Read(Box<Read>),
    Flush,
    Writable {
        below: Size,
    },
    Run {
        blocking: bool,
    },
    Sleep(Sleep),
    Message {
        /// A job has no peer that could leave.
        eof: Option<Transition>,
    },
    Call(Box<Route>),
}

pub(crate) enum Sleep {
    Fixed(u64),
    Of { time: Expr, max: u64 },
}

pub(crate) struct Read {
    /// What the attribute says.
    pub(crate) text: String,
    pub(crate) take: Take,
    pub(crate) eof: Transition,
}

pub(crate) enum Take {
    Exact(Literal),
    ExactOf { length: Expr, max: Size, limit: Transition },
    Until { delimiter: TokenStream, max: Size, limit: Transition },
    Some { max: Size },
    Upto { length: Expr, max: Size },
    Frame { decoder: Box<Type>, max: Size, limit: Transition, error: Transition },
}

/// The way to a state.
#[derive(Clone)]
pub(crate) struct Transition {
    /// The target, by its name where the edge was written.
    pub(crate) target: Ident,
    pub(crate) braced: bool,
    pub(crate) inits: Vec<FieldInit>,
    /// It leads to where it comes from.
    pub(crate) to_itself: bool,
    /// That, with all data.
    pub(crate) stays: bool,
}

/// Where a field of the target comes from.
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
    /// The deadline from entering it.
    pub(crate) fn within(&self) -> Option<&Deadline> {
        match &self.role {
            Role::End => None,
            Role::Active(active) => active.within.as_ref(),
            Role::HandOff(handoff) => handoff.within.as_ref(),
        }
    }

    /// Where it leads out of its pool.
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

impl Sleep {
    pub(crate) fn new(pause: &Pause, fields: &[Ident]) -> Self {
        match pause {
            Pause::Fixed(millis) => Self::Fixed(*millis),
            Pause::Of { time, max } => Self::Of { time: Expr::new(time, fields), max: *max },
        }
    }
}

impl Wait {
    /// The user's type that gives what has come: a decoder, or a service.
    pub(crate) fn given_by(&self) -> Option<&Type> {
        match self {
            Self::Read(read) => match &read.take {
                Take::Frame { decoder, .. } => Some(decoder),
                _ => None,
            },
            Self::Call(route) => Some(&route.ty),
            _ => None,
        }
    }
}

impl Take {
    /// The bound in bytes.
    pub(crate) fn max(&self) -> TokenStream {
        match self {
            Self::Exact(length) => TokenTree::from(length.clone()).into(),
            Self::ExactOf { max, .. }
            | Self::Until { max, .. }
            | Self::Some { max }
            | Self::Upto { max, .. }
            | Self::Frame { max, .. } => max.value.clone(),
        }
    }
}

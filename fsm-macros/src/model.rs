//! A machine that is known to be sound: names are indexes, and nothing optional is left that the
//! checks have settled.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Type, Visibility};

use crate::ast::{Budget, Event, Pause, Size};

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

/// The module beside the enum: what a user's code can name.
pub(crate) struct Interface {
    pub(crate) vis: Visibility,
    /// What the author allows.
    pub(crate) allows: Vec<TokenStream>,
    /// The enum's name.
    pub(crate) name: Ident,
    pub(crate) module: Ident,
    /// The path of the runtime.
    pub(crate) root: TokenStream,
    /// The words of ours, where they are written.
    pub(crate) words: Vec<Ident>,
    /// The names of states, where they are written in attributes.
    pub(crate) states: Vec<Ident>,
    pub(crate) message: Option<Type>,
    /// What it is started with, if that is something: the job or the seed.
    pub(crate) seed: Option<Type>,
    /// What a machine that runs jobs replies.
    pub(crate) reply: Option<Type>,
    pub(crate) error: Option<Type>,
    pub(crate) handlers: Vec<Handler>,
    /// The decoders, by the state that reads with each.
    pub(crate) decoders: Vec<(Ident, Type)>,
    /// An expression that rustc refuses with a finding, in a machine that is not sound. It stands
    /// for the types that are not known, which are `_` here.
    pub(crate) lost: Option<TokenStream>,
}

/// A method of the handler trait, and the verdicts that it returns.
pub(crate) struct Handler {
    pub(crate) name: Ident,
    /// The name of the state.
    pub(crate) state: Ident,
    /// The name of the enum of verdicts.
    pub(crate) after: Ident,
    /// Where its verdicts are named.
    pub(crate) to: Span,
    pub(crate) docs: String,
    pub(crate) fields: Vec<(Ident, Type)>,
    /// What has come, and its type in the module.
    pub(crate) payload: Option<Payload>,
    /// The name of the `cx` parameter.
    pub(crate) cx: Ident,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) body: Body,
}

pub(crate) struct Payload {
    pub(crate) name: Ident,
    pub(crate) kind: PayloadKind,
}

pub(crate) enum PayloadKind {
    Array(Literal),
    Bytes,
    Frame(Box<Type>),
    Message(Box<Type>),
    /// Of this service.
    Reply(Box<Type>),
    /// It could not be read.
    Unknown,
}

/// The default body of a handler.
pub(crate) enum Body {
    /// There is nothing to decide: this is the only verdict.
    Only(Ident),
    /// The user writes it.
    Required,
    /// The machine is not sound: never runs, and nobody needs to write it.
    Inert,
}

pub(crate) struct Verdict {
    pub(crate) name: Ident,
    pub(crate) docs: String,
    pub(crate) data: Vec<(Ident, Type)>,
    /// What it carries beside the fields of its state.
    pub(crate) gift: Option<Gift>,
}

/// What a verdict gives with the way to a state; `_` where the type could not be read.
#[derive(Clone)]
pub(crate) enum Gift {
    /// A job for this service.
    Job(Box<Type>),
    /// The seed of this machine.
    Seed(Box<Type>),
    /// The reply, of this type.
    Reply(Box<Type>),
}

pub(crate) struct State {
    pub(crate) name: Ident,
    pub(crate) docs: String,
    pub(crate) braced: bool,
    pub(crate) fields: Vec<Ident>,
    pub(crate) types: Vec<Type>,
    pub(crate) rest: bool,
    pub(crate) edges: Vec<Edge>,
    pub(crate) role: Role,
}

/// An edge as the graph shows it.
pub(crate) struct Edge {
    /// The event and its time in milliseconds; `None` for a verdict.
    pub(crate) on: Option<(Event, u64)>,
    pub(crate) target: usize,
}

pub(crate) enum Role {
    End,
    Active(Box<Active>),
    /// The connection leaves.
    Leaving(Box<Leaving>),
}

/// A state without a handler, from which the connection goes to another pool.
pub(crate) struct Leaving {
    pub(crate) route: Route,
    pub(crate) within: Option<(u64, Move)>,
}

/// Where a state leads out of its pool.
pub(crate) struct Route {
    /// The service, or the machine.
    pub(crate) ty: Type,
    /// As the author wrote it.
    pub(crate) text: String,
    /// Where it leads if there is no room; `None` waits for some.
    pub(crate) full: Option<Move>,
    pub(crate) gone: Move,
}

/// What a verdict does.
pub(crate) struct Outcome {
    pub(crate) verdict: Ident,
    /// `None` stays.
    pub(crate) go: Option<Move>,
    pub(crate) gives: Option<Gives>,
}

/// What is done with what a verdict gives.
pub(crate) enum Gives {
    Job(Out),
    Seed(Out),
    /// It ends the job with a reply of this type.
    Reply(Box<Type>),
}

/// A route as the verdict that takes it sees it.
pub(crate) struct Out {
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
    pub(crate) error: Option<Move>,
    pub(crate) within: Option<(u64, Move)>,
    pub(crate) idle: Option<(u64, Move)>,
}

pub(crate) enum Wait {
    Read(Box<Read>),
    Flush,
    Drain {
        below: Size,
    },
    Run {
        blocking: bool,
    },
    Sleep(Sleep),
    Message {
        /// A job has no peer that could leave.
        eof: Option<Move>,
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
    pub(crate) eof: Move,
}

pub(crate) enum Take {
    Exact(Literal),
    ExactOf { length: Expr, max: Size, limit: Move },
    Until { delimiter: TokenStream, max: Size, limit: Move },
    Some { max: Size },
    Upto { length: Expr, max: Size },
    Frame { decoder: Box<Type>, max: Size, limit: Move, error: Move },
}

/// An expression over the fields of a state.
pub(crate) struct Expr {
    pub(crate) value: TokenStream,
    /// The fields that occur in it.
    pub(crate) fields: Vec<Ident>,
}

/// The way to a state.
#[derive(Clone)]
pub(crate) struct Move {
    /// The target, by its name where the edge was written.
    pub(crate) target: Ident,
    pub(crate) braced: bool,
    pub(crate) fills: Vec<Fill>,
    /// It leads to where it comes from.
    pub(crate) back: bool,
    /// That, with all data.
    pub(crate) stays: bool,
}

/// Where a field of the target comes from.
#[derive(Clone)]
pub(crate) struct Fill {
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

impl Expr {
    pub(crate) fn new(value: &TokenStream, fields: &[Ident]) -> Self {
        let mut found = Vec::new();
        occurring(value, fields, &mut found);
        Self { value: value.clone(), fields: found }
    }
}

/// Adds those of `fields` that occur in `tokens`, as they are written there.
fn occurring(tokens: &TokenStream, fields: &[Ident], found: &mut Vec<Ident>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(name) if fields.contains(&name) && !found.contains(&name) => {
                found.push(name);
            }
            TokenTree::Group(group) => occurring(&group.stream(), fields, found),
            _ => {}
        }
    }
}

impl Interface {
    /// The path of the runtime, shown at `span`.
    pub(crate) fn root_at(&self, span: Span) -> TokenStream {
        let at = |mut token: TokenTree| {
            token.set_span(span);
            token
        };
        self.root.clone().into_iter().map(at).collect()
    }

    /// The type of messages, beside the enum.
    pub(crate) fn message_type(&self) -> TokenStream {
        let root = &self.root;
        let message = self.message.as_ref();
        message.map_or_else(|| quote!(#root::NoMessage), |message| self.beside(message))
    }

    /// A type of the user's, beside the enum.
    pub(crate) fn beside(&self, ty: &Type) -> TokenStream {
        let module = &self.module;
        match ty {
            Type::Infer(_) => quote!(#module::Unknown),
            known => known.to_token_stream(),
        }
    }

    /// Whether the machine runs jobs.
    pub(crate) fn is_job(&self) -> bool {
        self.reply.is_some()
    }

    /// The runtime's name for what handlers can do in it.
    pub(crate) fn cx(&self) -> TokenStream {
        if self.is_job() { quote!(JobCx) } else { quote!(Cx) }
    }

    /// The runtime's name for what it has.
    pub(crate) fn side(&self) -> TokenStream {
        if self.is_job() { quote!(Job) } else { quote!(Connection) }
    }

    /// The variant of `Starts`.
    pub(crate) fn starts(&self) -> TokenStream {
        match (&self.seed, self.is_job()) {
            (_, true) => quote!(Job),
            (Some(_), false) => quote!(Seed),
            (None, false) => quote!(Connection),
        }
    }
}

impl State {
    /// The deadline from entering it.
    pub(crate) fn within(&self) -> Option<&(u64, Move)> {
        match &self.role {
            Role::End => None,
            Role::Active(active) => active.within.as_ref(),
            Role::Leaving(leaving) => leaving.within.as_ref(),
        }
    }

    /// Where it leads out of its pool.
    pub(crate) fn route(&self) -> Option<&Route> {
        match &self.role {
            Role::Leaving(leaving) => Some(&leaving.route),
            Role::Active(active) => match &active.wait {
                Wait::Call(route) => Some(route),
                _ => None,
            },
            Role::End => None,
        }
    }
}

impl Gift {
    /// What the verdict calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Job(_) => "job",
            Self::Seed(_) => "seed",
            Self::Reply(_) => "reply",
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

use crate::Layout;

mod diagram;
mod edges;
mod features;
mod shared;
mod trigger;
mod units;
mod wait;

pub(crate) use features::Features;
#[cfg(feature = "console")]
pub(crate) use shared::SharedTarget;
pub use trigger::Trigger;
pub use wait::{Shape, Wait};

/// The graph of a machine as data: [`Machine::SPEC`](crate::Machine::SPEC).
///
/// ```
/// use fsm_runtime::prelude::*;
///
/// #[state_machine(start = Talk, eof => Gone)]
/// enum Echo {
///     #[read(some, max = 16KiB, idle = 60s => Gone)]
///     #[to(Talk)]
///     #[rest]
///     Talk,
///     #[end]
///     Gone,
/// }
///
/// let spec = Echo::SPEC;
/// assert_eq!((spec.name, spec.states.len()), ("Echo", 2));
/// assert_eq!(spec.states[spec.start].waits[0].to_string(), "read(some)");
/// assert!(spec.mermaid().contains("Talk --> Gone: idle 1min, eof"));
/// assert!(spec.dot().contains(r#"Talk -> Gone [label="eof"];"#));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Spec {
    /// The enum's name.
    pub name: &'static str,
    /// The enum's doc comment.
    pub docs: &'static str,
    /// The index of the start state.
    pub start: usize,
    /// The states in the order of the enum.
    pub states: &'static [State],
    /// Whether messages may be posted to a connection or job of this machine.
    pub messages: bool,
    /// The event that starts the machine.
    pub starts: Starts,
    /// Whether connections in `#[rest]` states can move to another process, which is `moves` of `#[state_machine]`.
    pub moves: bool,
}

/// The event that starts a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starts {
    /// A client connects, or the pool has opened a connection.
    Connection,
    /// Another pool hands over a connection with a `seed`.
    Seed,
    /// A caller submits a `job`; the end of the machine carries the reply.
    Job,
}

/// One state of a [`Spec`].
///
/// ```
/// use fsm_runtime::{Edge, State, Trigger, Wait};
///
/// const STATES: &[State] = &[
///     State::new("Ready", &[Wait::Message])
///         .with_edges(&[Edge { on: Trigger::Eof, target: 1 }])
///         .at_rest(),
///     State::new("Gone", &[Wait::End]),
/// ];
///
/// assert_eq!(STATES[STATES[0].edges[0].target].name, "Gone");
/// assert!(STATES[1].is_end());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct State {
    /// The variant's name.
    pub name: &'static str,
    /// The variant's doc comment.
    pub docs: &'static str,
    /// The events that the state waits for. Any of them may complete.
    pub waits: &'static [Wait],
    /// The ways out of the state.
    pub edges: &'static [Edge],
    /// Whether nothing is in progress in the state, so that a drain may close the connection.
    pub rest: bool,
    /// Whether a connection at rest in the state keeps its place when a new client wants it
    /// ([`Builder::shed_at_rest`](crate::Builder::shed_at_rest)).
    pub keep: bool,
    /// The names of the variant's fields.
    pub fields: &'static [&'static str],
    /// The layout of the frames that the state reads, if they were declared with `#[frame]`.
    pub layout: Option<&'static Layout>,
}

/// One way out of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The event that takes the edge.
    pub on: Trigger,
    /// The index of the target state.
    pub target: usize,
}

impl Spec {
    /// A graph without docs and messages, whose start state is the first one and which a connection
    /// starts. Generated code builds [`Machine::SPEC`](crate::Machine::SPEC) with this and the
    /// other methods.
    pub const fn new(name: &'static str, states: &'static [State]) -> Self {
        Self {
            name,
            docs: "",
            start: 0,
            states,
            messages: false,
            starts: Starts::Connection,
            moves: false,
        }
    }

    /// The same graph with these docs.
    pub const fn with_docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// The same graph with the start state of this index.
    pub const fn with_start(mut self, start: usize) -> Self {
        self.start = start;
        self
    }

    /// The same graph for a machine that takes messages.
    pub const fn with_messages(mut self) -> Self {
        self.messages = true;
        self
    }

    /// The same graph for a machine that this event starts.
    pub const fn with_starts(mut self, starts: Starts) -> Self {
        self.starts = starts;
        self
    }

    /// The same graph for a machine whose connections can move to another process.
    pub const fn with_moves(mut self) -> Self {
        self.moves = true;
        self
    }

    /// The largest datagram that a state reads; 0 if none reads datagrams.
    pub(crate) fn largest_datagram(&self) -> usize {
        let waits = self.states.iter().flat_map(|state| state.waits);
        let sizes = waits.filter_map(|wait| match wait {
            Wait::Read { shape: Shape::Datagram, max, .. } => Some(*max),
            _ => None,
        });
        sizes.max().unwrap_or(0)
    }

    /// The largest piece of a stream that a state takes; 0 if none takes pieces.
    pub(crate) fn largest_piece(&self) -> usize {
        let waits = self.states.iter().flat_map(|state| state.waits);
        let sizes = waits.filter_map(|wait| match wait {
            Wait::Read { shape, max, .. } if shape.is_stream() => Some(*max),
            _ => None,
        });
        sizes.max().unwrap_or(0)
    }

    /// Whether a drain may close connections in one of the states.
    pub(crate) fn rests(&self) -> bool {
        self.states.iter().any(|state| state.rest)
    }
}

impl State {
    /// A state without edges, fields and docs, in which something is in progress. The other methods
    /// add to it.
    pub const fn new(name: &'static str, waits: &'static [Wait]) -> Self {
        Self {
            name,
            docs: "",
            waits,
            edges: &[],
            rest: false,
            keep: false,
            fields: &[],
            layout: None,
        }
    }

    /// The same state with these docs.
    pub const fn with_docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// The same state with these edges.
    pub const fn with_edges(mut self, edges: &'static [Edge]) -> Self {
        self.edges = edges;
        self
    }

    /// The same state, in which nothing is in progress.
    pub const fn at_rest(mut self) -> Self {
        self.rest = true;
        self
    }

    /// The same state, whose connections keep their place when a new client wants it.
    pub const fn kept(mut self) -> Self {
        self.keep = true;
        self
    }

    /// The same state with fields of these names.
    pub const fn with_fields(mut self, fields: &'static [&'static str]) -> Self {
        self.fields = fields;
        self
    }

    /// The same state with the layout of the frames that it reads.
    pub const fn with_layout(mut self, layout: Option<&'static Layout>) -> Self {
        self.layout = layout;
        self
    }

    /// Whether the machine is done in this state.
    pub fn is_end(&self) -> bool {
        self.waits.contains(&Wait::End)
    }
}

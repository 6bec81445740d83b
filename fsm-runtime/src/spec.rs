use std::fmt;
use std::time::Duration;

use crate::Layout;

mod diagram;
mod edges;
mod features;
mod shared;

pub(crate) use features::Features;
#[cfg(feature = "console")]
pub(crate) use shared::SharedTarget;

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
    /// Whether a connection at rest in the state keeps its place when a newcomer wants it
    /// ([`Builder::shed_at_rest`](crate::Builder::shed_at_rest)).
    pub keep: bool,
    /// The names of the variant's fields.
    pub fields: &'static [&'static str],
    /// The layout of the frames that the state reads, if they were declared with `#[frame]`.
    pub layout: Option<&'static Layout>,
}

/// An event that a state waits for. `Display` prints the attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Input.
    Read {
        /// The way to cut the input.
        shape: Shape,
        /// The text of the attribute, such as `until = b"\r\n"`.
        text: &'static str,
        /// The upper bound of a message in bytes.
        max: usize,
    },
    /// The peer has taken all queued output.
    Flush,
    /// Less output than a bound is queued.
    Writable {
        /// The bound in bytes.
        below: usize,
    },
    /// No event: the handler runs at once.
    Run {
        /// The handler may block; meanwhile the port lets another thread run.
        blocking: bool,
    },
    /// A time.
    Sleep {
        /// The time, or its upper bound if the time depends on the state's data.
        at_most: Duration,
    },
    /// A message.
    Message,
    /// A job, which the connection answers.
    Job,
    /// A connection to a target, which becomes the other socket.
    Connect,
    /// A TLS handshake with the peer.
    Tls {
        /// The text of the attribute, such as `name = host`; empty if it names no server.
        text: &'static str,
    },
    /// Input of the other socket.
    ReadOther {
        /// The way to cut the input.
        shape: Shape,
        /// The text of the attribute, such as `until = b"\r\n"`.
        text: &'static str,
        /// The upper bound of a message in bytes.
        max: usize,
    },
    /// Bytes are passed on from one socket to the other.
    Relay {
        /// The text of the attribute, such as `out, exact = left`; empty for both ways.
        text: &'static str,
        /// The most bytes that wait on one side.
        max: usize,
    },
    /// Input that is thrown away.
    Discard {
        /// The way to find its end.
        shape: Shape,
        /// The text of the attribute, such as `until = b"\n"`.
        text: &'static str,
    },
    /// A time that passes again and again.
    Tick {
        /// The time, or its upper bound if the time is an expression.
        every: Duration,
    },
    /// The peer has taken all queued output, and the end of the stream to it was sent.
    Shutdown,
    /// The reply of another pool to a job.
    Call {
        /// The service as the attribute names it.
        pool: &'static str,
    },
    /// A permit of another pool, to which the connection then moves.
    HandOff {
        /// The machine of that pool as the attribute names it.
        pool: &'static str,
    },
    /// No event: the machine is done.
    End,
}

/// The way in which a state cuts the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A number of bytes.
    Exact,
    /// The bytes before a delimiter.
    Until,
    /// The bytes that have arrived.
    Some,
    /// The bytes that have arrived, up to a number of bytes.
    Upto,
    /// A frame of a decoder.
    Frame,
    /// A number of bytes that stay unread.
    Peek,
    /// A datagram.
    Datagram,
}

impl Shape {
    /// Whether the pieces depend on how the bytes arrive, so that only their concatenation has a
    /// meaning.
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Some | Self::Upto)
    }
}

/// One way out of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The event that takes the edge.
    pub on: Trigger,
    /// The index of the target state.
    pub target: usize,
}

/// The event that takes an [`Edge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The handler's verdict.
    Verdict,
    /// This time has passed since the state was entered.
    Within(Duration),
    /// This time has passed since the state's wait last completed.
    Idle(Duration),
    /// This time has passed since the first byte of a message that is incomplete.
    Begun(Duration),
    /// This time has passed since the machine entered the group of states that has a budget.
    Budget(Duration),
    /// One side of a relay has ended its stream, and no byte has moved for this time.
    HalfClosed(Duration),
    /// The peer ended its stream.
    Eof,
    /// The input is larger than `max`.
    Limit,
    /// The decoder refused the input.
    Refused,
    /// The handler failed, or the handshake of a [`Wait::Tls`].
    Error,
    /// The other pool is full.
    Full,
    /// The other pool is closed, or the job failed without a reply.
    Gone,
    /// The pool drains.
    Drain,
    /// The same of the read of the other socket, in a state that waits for both.
    Other(&'static Trigger),
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

    /// The same state, whose connections keep their place when a newcomer wants it.
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

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { text, .. } => write!(f, "read({text})"),
            Self::Flush => f.write_str("flush"),
            Self::Writable { below } => write!(f, "writable(below = {below})"),
            Self::Run { blocking: false } => f.write_str("run"),
            Self::Run { blocking: true } => f.write_str("run(blocking)"),
            Self::Call { pool } => write!(f, "call({pool})"),
            Self::HandOff { pool } => write!(f, "handoff({pool})"),
            Self::Sleep { at_most } => write!(f, "sleep({})", InUnits(*at_most)),
            Self::Message => f.write_str("message"),
            Self::Job => f.write_str("job"),
            Self::Connect => f.write_str("connect"),
            Self::Tls { text: "" } => f.write_str("tls"),
            Self::Tls { text } => write!(f, "tls({text})"),
            Self::ReadOther { text, .. } => write!(f, "read(other, {text})"),
            Self::Relay { text: "", .. } => f.write_str("relay"),
            Self::Relay { text, .. } => write!(f, "relay({text})"),
            Self::Discard { text, .. } => write!(f, "discard({text})"),
            Self::Tick { every } => write!(f, "tick({})", InUnits(*every)),
            Self::Shutdown => f.write_str("shutdown"),
            Self::End => f.write_str("end"),
        }
    }
}

/// A time as attributes write it.
struct InUnits(Duration);

impl fmt::Display for InUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
        match units.into_iter().find(|(unit, _)| millis % unit == 0) {
            Some((unit, name)) => write!(f, "{}{name}", millis / unit),
            None => write!(f, "{millis}ms"),
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verdict => f.write_str("verdict"),
            Self::Within(time) => write!(f, "within {}", InUnits(*time)),
            Self::Idle(time) => write!(f, "idle {}", InUnits(*time)),
            Self::Begun(time) => write!(f, "begun {}", InUnits(*time)),
            Self::Budget(time) => write!(f, "within {} in all", InUnits(*time)),
            Self::HalfClosed(time) => write!(f, "eof {}", InUnits(*time)),
            Self::Eof => f.write_str("eof"),
            Self::Limit => f.write_str("limit"),
            Self::Refused => f.write_str("refused"),
            Self::Error => f.write_str("error"),
            Self::Full => f.write_str("full"),
            Self::Gone => f.write_str("gone"),
            Self::Drain => f.write_str("drain"),
            Self::Other(trigger) => write!(f, "other {trigger}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_as_attributes_write_them() {
        let millis = [250, 30_000, 90_000, 300_000, 7_200_000, 86_400_000];
        let printed = millis.map(|millis| InUnits(Duration::from_millis(millis)).to_string());
        assert_eq!(printed, ["250ms", "30s", "90s", "5min", "2h", "1d"]);
    }
}

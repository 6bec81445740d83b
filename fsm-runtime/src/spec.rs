use std::fmt::{self, Write};
use std::time::Duration;

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
/// assert!(spec.mermaid().contains("Talk --> Gone: idle 1min, eof"));
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
    /// The states, as the enum lists them.
    pub states: &'static [State],
    /// Whether messages may be posted to a connection of this machine.
    pub messages: bool,
    /// What starts one.
    pub starts: Starts,
}

/// What starts a machine.
///
/// ```
/// use fsm_runtime::{Machine, Starts, prelude::state_machine};
///
/// #[state_machine(start = Talk, eof => Gone)]
/// enum Echo {
///     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
///     #[end] Gone,
/// }
///
/// assert_eq!(Echo::SPEC.starts, Starts::Connection);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starts {
    /// A connection.
    Connection,
    /// A connection that another pool hands over, with a `seed`.
    Seed,
    /// A `job`, to which its end carries the reply.
    Job,
}

/// One state of a [`Spec`].
///
/// ```
/// use fsm_runtime::{State, Wait};
///
/// let state =
///     State { name: "Gone", docs: "", wait: Wait::End, edges: &[], rest: false, fields: &[] };
/// assert!(state.edges.is_empty());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct State {
    /// The variant's name.
    pub name: &'static str,
    /// The variant's doc comment.
    pub docs: &'static str,
    /// What the state waits for: one wait or several, any of which may complete.
    pub waits: &'static [Wait],
    /// Where it may go, and when.
    pub edges: &'static [Edge],
    /// Whether nothing is in progress here.
    pub rest: bool,
    /// The names of the variant's fields.
    pub fields: &'static [&'static str],
}

/// What a state waits for.
///
/// ```
/// assert_eq!(fsm_runtime::Wait::Writable { below: 4096 }.to_string(), "writable(below = 4096)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Input.
    Read {
        /// How much of it.
        shape: Shape,
        /// What the attribute says, such as `until = b"\r\n"`.
        text: &'static str,
        /// The bound in bytes.
        max: usize,
    },
    /// All output has left.
    Flush,
    /// Less output than this is queued.
    Writable {
        /// In bytes.
        below: usize,
    },
    /// Nothing: its handler runs at once.
    Run {
        /// Its handler may block, and the port runs others meanwhile.
        blocking: bool,
    },
    /// Time to pass.
    Sleep {
        /// How long it lasts, or can last where it depends on the state's data.
        at_most: Duration,
    },
    /// A message.
    Message,
    /// The reply of another pool to a job.
    Call {
        /// The service, as the attribute names it.
        pool: &'static str,
    },
    /// Room in another pool, where its connection goes.
    HandOff {
        /// The machine of that pool, as the attribute names it.
        pool: &'static str,
    },
    /// Nothing: the machine is done.
    End,
}

/// How a state cuts the input.
///
/// ```
/// assert!(fsm_runtime::Shape::Some.is_stream());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A number of bytes.
    Exact,
    /// Up to a delimiter.
    Until,
    /// What is there.
    Some,
    /// What is there, up to a number of bytes.
    Upto,
    /// A decoder's frame.
    Frame,
}

impl Shape {
    /// Whether the handler gets what is there, so that only the concatenation of its calls counts.
    ///
    /// ```
    /// assert!(!fsm_runtime::Shape::Frame.is_stream());
    /// ```
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Some | Self::Upto)
    }
}

/// One way out of a state.
///
/// ```
/// use fsm_runtime::{Edge, Trigger};
/// let edge = Edge { on: Trigger::Eof, target: 1 };
/// assert_eq!(edge.on.to_string(), "eof");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// What takes it.
    pub on: Trigger,
    /// The index of the state it leads to.
    pub target: usize,
}

/// What takes an edge.
///
/// ```
/// use fsm_runtime::Trigger;
/// use std::time::Duration;
/// assert_eq!(Trigger::Within(Duration::from_secs(30)).to_string(), "within 30s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The handler's verdict.
    Verdict,
    /// So much time after the state was entered.
    Within(Duration),
    /// So much time after its wait last completed.
    Idle(Duration),
    /// The peer ended its stream.
    Eof,
    /// The input is larger than `max`.
    Limit,
    /// The decoder or the handler failed.
    Error,
    /// The other pool has no room.
    Full,
    /// The other pool is closed, or the job failed without a reply.
    Gone,
}

impl Spec {
    /// A graph whose start state is the first one; [`docs`](Self::with_docs) and the other methods add
    /// to it. Generated code builds [`Machine::SPEC`](crate::Machine::SPEC) so.
    pub const fn new(name: &'static str, states: &'static [State]) -> Self {
        Self { name, docs: "", start: 0, states, messages: false, starts: Starts::Connection }
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

    /// The same graph of a machine that takes messages.
    pub const fn with_messages(mut self) -> Self {
        self.messages = true;
        self
    }

    /// The same graph of a machine that is started otherwise.
    pub const fn with_starts(mut self, starts: Starts) -> Self {
        self.starts = starts;
        self
    }

    /// Whether there is a state in which a drain may close a connection.
    pub(crate) fn rests(&self) -> bool {
        self.states.iter().any(|state| state.rest)
    }

    /// Whether anything can come to a connection or job but by its socket.
    pub(crate) const fn has_mailbox(&self) -> bool {
        let mut has_mailbox = self.messages;
        let mut state = 0;
        while state < self.states.len() {
            let waits = self.states[state].waits;
            let mut wait = 0;
            while wait < waits.len() {
                has_mailbox |= matches!(waits[wait], Wait::Call { .. } | Wait::HandOff { .. });
                wait += 1;
            }
            state += 1;
        }
        has_mailbox
    }

    /// The graph in the DOT language of Graphviz.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// let picture = Echo::SPEC.dot();
    /// assert!(picture.starts_with("digraph Echo {"));
    /// assert!(picture.contains(r#"Talk -> Gone [label="eof"];"#));
    /// ```
    pub fn dot(&self) -> String {
        let mut text = format!("digraph {} {{\n    rankdir=LR;\n", self.name);
        for state in self.states {
            let shape = if state.is_end() { "doublecircle" } else { "box" };
            let style = if state.rest { "bold" } else { "solid" };
            let name = state.name;
            let waits: Vec<String> = state.waits.iter().map(Wait::to_string).collect();
            let waits = waits.join("\n").escape_default().to_string();
            let _ = writeln!(
                text,
                "    {name} [shape={shape}, style={style}, label=\"{name}\\n{waits}\"];"
            );
        }
        for state in self.states {
            for edge in state.edges {
                let target = self.states[edge.target].name;
                let _ = writeln!(text, "    {} -> {target} [label=\"{}\"];", state.name, edge.on);
            }
        }
        text + "}\n"
    }

    /// The graph as a Mermaid state diagram, as the docs of the machine show it: from state to state
    /// an arrow for verdicts, and one for all events.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// let picture = Echo::SPEC.mermaid();
    /// assert!(picture.starts_with("stateDiagram-v2\n    [*] --> Talk\n"));
    /// assert!(picture.contains("Talk --> Gone: idle 1min, eof"));
    /// ```
    pub fn mermaid(&self) -> String {
        let mut text = format!("stateDiagram-v2\n    [*] --> {}\n", self.states[self.start].name);
        for state in self.states {
            let mut targets: Vec<usize> = Vec::new();
            for edge in state.edges {
                if !targets.contains(&edge.target) {
                    targets.push(edge.target);
                }
            }
            for target in targets {
                let arrow = format!("    {} --> {}", state.name, self.states[target].name);
                let edges = state.edges.iter().filter(|edge| edge.target == target);
                if edges.clone().any(|edge| edge.on == Trigger::Verdict) {
                    let _ = writeln!(text, "{arrow}");
                }
                let events = edges.filter(|edge| edge.on != Trigger::Verdict);
                let events: Vec<String> = events.map(|edge| edge.on.to_string()).collect();
                if !events.is_empty() {
                    let _ = writeln!(text, "{arrow}: {}", events.join(", "));
                }
            }
            if state.is_end() {
                let _ = writeln!(text, "    {} --> [*]", state.name);
            }
        }
        text
    }
}

impl State {
    /// A state without edges, data and docs, which the other methods add.
    pub const fn new(name: &'static str, waits: &'static [Wait]) -> Self {
        Self { name, docs: "", waits, edges: &[], rest: false, fields: &[] }
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

    /// The same state with fields of these names.
    pub const fn with_fields(mut self, fields: &'static [&'static str]) -> Self {
        self.fields = fields;
        self
    }

    /// Whether the machine is done in it.
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
            Self::End => f.write_str("end"),
        }
    }
}

/// A time as an attribute says it.
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
            Self::Eof => f.write_str("eof"),
            Self::Limit => f.write_str("limit"),
            Self::Error => f.write_str("error"),
            Self::Full => f.write_str("full"),
            Self::Gone => f.write_str("gone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_they_are_written() {
        let millis = [250, 30_000, 90_000, 300_000, 7_200_000, 86_400_000];
        let said = millis.map(|millis| InUnits(Duration::from_millis(millis)).to_string());
        assert_eq!(said, ["250ms", "30s", "90s", "5min", "2h", "1d"]);
    }
}

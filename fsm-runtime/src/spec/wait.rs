use std::fmt;
use std::time::Duration;

use super::units::InUnits;

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

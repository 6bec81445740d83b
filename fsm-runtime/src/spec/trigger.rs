use std::fmt;
use std::time::Duration;

use super::units::InUnits;

/// The event that takes an [`Edge`](crate::Edge).
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
    /// The handler failed, or the handshake of a [`Wait::Tls`](crate::Wait::Tls).
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

impl Trigger {
    /// The kind of event without its time, as labels of metrics have it: `verdict`, `within`, `idle`, `begun`,
    /// `group_within`, `half_closed`, `eof`, `limit`, `refused`, `error`, `full`, `gone` or `drain`, and the same
    /// after `other_` for the read of the other socket.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Within(_) => "within",
            Self::Idle(_) => "idle",
            Self::Begun(_) => "begun",
            Self::Budget(_) => "group_within",
            Self::HalfClosed(_) => "half_closed",
            Self::Eof => "eof",
            Self::Limit => "limit",
            Self::Refused => "refused",
            Self::Error => "error",
            Self::Full => "full",
            Self::Gone => "gone",
            Self::Drain => "drain",
            Self::Other(Self::Idle(_)) => "other_idle",
            Self::Other(Self::Eof) => "other_eof",
            Self::Other(Self::Limit) => "other_limit",
            Self::Other(Self::Refused) => "other_refused",
            Self::Other(_) => "other",
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

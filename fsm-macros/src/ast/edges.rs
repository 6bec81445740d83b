use proc_macro2::Ident;

use super::time::Time;

/// The edges of one attribute, which the runtime takes by itself.
#[derive(Default)]
pub(crate) struct Edges {
    pub(crate) events: Vec<EventEdge>,
    /// `within = never`
    pub(crate) never: Option<Ident>,
}

/// `eof => Closed`
pub(crate) struct EventEdge {
    pub(crate) event: Event,
    pub(crate) key: Ident,
    /// Of an event that has one.
    pub(crate) time: Option<Time>,
    pub(crate) target: Ident,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Within,
    Idle,
    Begun,
    Eof,
    Limit,
    Refused,
    Error,
    Full,
    Gone,
    Drain,
    /// One side of a relay has ended, and nothing has moved for a time: `eof = 30s`.
    HalfClosed,
    /// The time of a group of states is over, which the machine declares as `within(Group)`.
    Budget,
}

impl Event {
    /// The events that have a key of their own.
    pub(crate) const ALL: [Self; 10] = [
        Self::Within,
        Self::Idle,
        Self::Begun,
        Self::Eof,
        Self::Limit,
        Self::Refused,
        Self::Error,
        Self::Full,
        Self::Gone,
        Self::Drain,
    ];

    /// The events that the read of the other socket has for itself beside another wait.
    pub(crate) const OF_OTHER_READ: [Self; 4] = [Self::Idle, Self::Eof, Self::Limit, Self::Refused];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Within | Self::Budget => "within",
            Self::Idle => "idle",
            Self::Begun => "begun",
            Self::Eof | Self::HalfClosed => "eof",
            Self::Limit => "limit",
            Self::Refused => "refused",
            Self::Error => "error",
            Self::Full => "full",
            Self::Gone => "gone",
            Self::Drain => "drain",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// Whether it bounds how long its state may last.
    pub(crate) fn is_deadline(self) -> bool {
        matches!(self, Self::Within | Self::Idle | Self::Budget)
    }

    /// Whether it has a time.
    pub(crate) fn is_timed(self) -> bool {
        self.is_deadline() || matches!(self, Self::Begun | Self::HalfClosed)
    }
}

impl Edges {
    pub(crate) fn on(&self, event: Event) -> Option<&EventEdge> {
        self.events.iter().find(|edge| edge.event == event)
    }

    /// Whether `idle` is the only deadline given.
    pub(crate) fn is_only_idle(&self) -> bool {
        self.never.is_none() && self.on(Event::Within).is_none()
    }

    pub(crate) fn bounds_time(&self) -> bool {
        self.never.is_some() || self.events.iter().any(|edge| edge.event.is_deadline())
    }
}

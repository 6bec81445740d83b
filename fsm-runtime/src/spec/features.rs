use super::{Shape, Spec, Trigger, Wait};

/// The features that a machine uses. The runtime skips the code of others when it is compiled.
#[derive(Clone, Copy)]
pub(crate) struct Features(u16);

impl Features {
    /// A state leads to another pool or takes messages, so that its connection or job needs a mailbox.
    pub(crate) const MAILBOX: Self = Self(1);
    /// A state has a tick.
    pub(crate) const TICK: Self = Self(1 << 1);
    /// A state has a timer that counts from the first byte of a message.
    pub(crate) const BEGUN: Self = Self(1 << 2);
    /// A state waits for input and for messages.
    pub(crate) const INTERLEAVED: Self = Self(1 << 3);
    /// A state ends the stream to the peer.
    pub(crate) const SHUTDOWN: Self = Self(1 << 4);
    /// A state has an edge for a drain.
    pub(crate) const DRAIN: Self = Self(1 << 5);
    /// A state throws input away, so that its progress is not that on unread input.
    pub(crate) const DISCARD: Self = Self(1 << 6);

    /// A state waits for a job for its connection.
    pub(crate) const JOBS: Self = Self(1 << 7);
    /// A state uses the other socket of its connection.
    pub(crate) const OTHER: Self = Self(1 << 8);
    /// A state begins TLS.
    pub(crate) const TLS: Self = Self(1 << 9);
    /// A state reads datagrams.
    pub(crate) const DATAGRAMS: Self = Self(1 << 10);
    /// A state calls another pool or hands over to one.
    pub(crate) const POOLS: Self = Self(1 << 11);
    /// The features of connections that need a pool, and are not there in [`embed`](crate::embed).
    pub(crate) const IN_POOLS: Self =
        Self::POOLS.and(Self::JOBS).and(Self::OTHER).and(Self::TLS).and(Self::DATAGRAMS);
    /// A state takes a message or a job only when no input is to be read before.
    pub(crate) const READS_FIRST: Self = Self::INTERLEAVED.and(Self::JOBS);

    const NONE: Self = Self(0);

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn of_wait(wait: &Wait) -> Self {
        match wait {
            Wait::Call { .. } | Wait::HandOff { .. } => Self::MAILBOX.and(Self::POOLS),
            Wait::Tick { .. } => Self::TICK,
            Wait::Shutdown => Self::SHUTDOWN,
            Wait::Discard { .. } => Self::DISCARD,
            Wait::Job => Self::JOBS,
            Wait::Read { shape: Shape::Datagram, .. } => Self::DATAGRAMS,
            Wait::Connect | Wait::ReadOther { .. } | Wait::Relay { .. } => Self::OTHER,
            Wait::Tls { .. } => Self::TLS,
            _ => Self::NONE,
        }
    }

    const fn of_waits(waits: &[Wait]) -> Self {
        let (mut features, mut input, mut message) = (Self::NONE, false, false);
        let mut wait = 0;
        while wait < waits.len() {
            features = features.and(Self::of_wait(&waits[wait]));
            input |= matches!(waits[wait], Wait::Read { .. } | Wait::Discard { .. });
            message |= matches!(waits[wait], Wait::Message);
            wait += 1;
        }
        if input && message { features.and(Self::INTERLEAVED) } else { features }
    }

    const fn of_trigger(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Begun(_) => Self::BEGUN,
            Trigger::Drain => Self::DRAIN,
            _ => Self::NONE,
        }
    }
}

impl Spec {
    /// Whether the machine uses this feature.
    pub(crate) const fn uses(&self, feature: Features) -> bool {
        self.features().0 & feature.0 != 0
    }

    const fn features(&self) -> Features {
        let mut features = if self.messages { Features::MAILBOX } else { Features::NONE };
        let mut state = 0;
        while state < self.states.len() {
            features = features.and(Features::of_waits(self.states[state].waits));
            let edges = self.states[state].edges;
            let mut edge = 0;
            while edge < edges.len() {
                features = features.and(Features::of_trigger(edges[edge].on));
                edge += 1;
            }
            state += 1;
        }
        features
    }
}

#[cfg(feature = "transitions")]
use crate::Trigger;
use crate::connection::ConnectionTask;
use crate::connection::scratch::ConnectionScratch;
use crate::machine::runner::MachineRunner;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::{Drive, Ended, Key};

/// The progress of a connection towards its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Goodbye {
    NotSaid,
    /// The machine has taken a `drain` edge.
    Said,
    /// The last output leaves; the connection ends for this reason.
    Closing(Ended),
    /// It ends in its next turn, because somebody asked for it.
    EndAsked,
    /// A newcomer takes its place: it ends in its next turn if it is still at rest then.
    ShedAsked,
    /// A newcomer takes its place, and the machine has taken a `drain` edge.
    ShedSaid,
    /// A newcomer takes its place, and the last output leaves.
    ShedCloses,
    /// The first socket has nothing left to do, and the last output to the other one leaves, which knows the reason.
    ClosingOther,
    /// It has not begun, and another process has refused the connection, when it was asked to move for the first, third
    /// or fifth time.
    #[cfg_attr(not(unix), expect(dead_code, reason = "connections do not move"))]
    RefusedOddTime,
    /// The same for the second, fourth or sixth time.
    #[cfg_attr(not(unix), expect(dead_code, reason = "connections do not move"))]
    RefusedEvenTime,
}

impl Goodbye {
    /// Whether the last output leaves.
    pub(super) fn closes(self) -> bool {
        matches!(self, Self::Closing(_) | Self::ShedCloses | Self::ClosingOther)
    }

    pub(super) fn has_not_begun(self) -> bool {
        matches!(self, Self::NotSaid | Self::RefusedOddTime | Self::RefusedEvenTime)
    }

    /// That of a connection that was refused when it was asked to move.
    #[cfg(all(feature = "pool", unix))]
    pub(super) fn refused(odd_time: bool) -> Self {
        if odd_time { Self::RefusedOddTime } else { Self::RefusedEvenTime }
    }
}

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Takes the `drain` edge of the state, once a connection. Returns whether it did.
    #[cold]
    pub(super) fn say_goodbye(&mut self, key: Key, scratch: &ConnectionScratch<M, H>) -> bool {
        let state = self.machine.state();
        if !self.goodbye.has_not_begun() || !self.machine.drain() {
            return false;
        }
        Self::drained(state, key, scratch);
        scratch.environment.takes_no_job(key);
        self.goodbye = Goodbye::Said;
        let Self { machine, deadlines, .. } = self;
        let settings = &scratch.environment.settings;
        // Nothing is unread, so no message has begun.
        MachineRunner { machine, deadlines }.enter(scratch.context.now, false, settings);
        true
    }

    /// Counts the `drain` edge of a state.
    pub(super) fn drained(state: usize, key: Key, scratch: &ConnectionScratch<M, H>) {
        #[cfg(feature = "transitions")]
        if let Some(edge) = M::SPEC.edge_of(state, &|on| matches!(on, Trigger::Drain)) {
            scratch.context.edges.count(edge);
            scratch.environment.note_transition(key, &scratch.context);
        }
        #[cfg(not(feature = "transitions"))]
        let _ = (state, key, scratch);
    }
}

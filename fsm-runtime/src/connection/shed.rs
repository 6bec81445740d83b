//! The turns of a connection whose place a newcomer takes (V11).

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::connection::ConnectionTask;
use crate::connection::full_turn::ResumedIo;
use crate::connection::goodbye::Goodbye;
use crate::connection::scratch::ConnectionScratch;
use crate::connection::turn::TurnStart;
use crate::machine::other::sealed::OtherEndSlot;
use crate::net::readiness::Readiness;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::scheduler::task::{Task, TurnOutcome};
use crate::{Drive, Ended, Key};

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Makes the connection leave in its next turn, as a drain would make it.
    pub(super) fn ask_to_leave(&mut self) -> bool {
        if !self.is_at_rest() {
            return false;
        }
        self.goodbye = Goodbye::ShedAsked;
        // The turn looks for a request that has arrived.
        self.state.add(Readiness::READ);
        self.state.set_idle(false);
        true
    }

    /// Puts back what a turn has taken up, so that another one takes it up again.
    #[cold]
    pub(super) fn put_back(
        &mut self,
        resumed: ResumedIo<M>,
        scratch: &mut ConnectionScratch<M, H>,
    ) {
        let pending = resumed.into_pending(scratch.output.keep());
        self.pending = Some(scratch.boxes.fill(pending));
    }

    /// Runs a turn as in a drain of this connection alone.
    ///
    /// In the first one a request that has arrived is answered. A connection that is at work after it is no longer
    /// asked to leave.
    #[cold]
    pub(super) fn shed_turn(
        &mut self,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
        start: TurnStart<M::Partial>,
    ) -> TurnOutcome {
        let before = self.goodbye;
        self.goodbye = match before {
            Goodbye::ShedSaid => Goodbye::Said,
            Goodbye::ShedCloses => Goodbye::Closing(Ended::Shed),
            _ => Goodbye::NotSaid,
        };
        let draining = std::mem::replace(&mut scratch.context.draining, true);
        let turn = catch_unwind(AssertUnwindSafe(|| self.full_turn(key, scratch, start)));
        // The next turn of the thread is one of another connection, also after a panic.
        scratch.context.draining = draining;
        let outcome = turn.unwrap_or_else(|panic| resume_unwind(panic));
        let leaves =
            |why| why == Ended::Drained || why == Ended::Done && before != Goodbye::ShedAsked;
        match self.goodbye {
            Goodbye::Said => {
                self.goodbye = Goodbye::ShedSaid;
                self.state.set_idle(false);
            }
            Goodbye::ClosingOther => {
                if let Some(why) = self.other.get().and_then(|other| other.closes.as_mut()) {
                    *why = if leaves(*why) { Ended::Shed } else { *why };
                }
            }
            Goodbye::Closing(why) if why == Ended::Shed || leaves(why) => {
                self.goodbye = Goodbye::ShedCloses;
                let has_begun = before != Goodbye::ShedCloses;
                let all_is_sent = self.pending.is_none() && !self.other_sends();
                if outcome == TurnOutcome::Wait && has_begun && all_is_sent {
                    // The peer has got all. A newcomer does not wait until it has noticed.
                    return TurnOutcome::Again;
                }
            }
            _ => {}
        }
        match outcome {
            TurnOutcome::Ended(why) if leaves(why) => TurnOutcome::Ended(Ended::Shed),
            outcome => outcome,
        }
    }
}

//! The turns of a connection while all pools stand still, so that connections move together.

use crate::connection::scratch::ConnectionScratch;
use crate::connection::turn::TurnStart;
use crate::connection::{ConnectionTask, Pending};
use crate::machine::input::DecodeProgress;
use crate::net::send_buffer::UnsentOutput;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::scheduler::task::TurnOutcome;
use crate::{Drive, Ended, Key};

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Runs a turn while connections at rest are asked to leave or to stand still.
    #[cold]
    pub(super) fn asked_turn(
        &mut self,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        let stands_still = scratch.pool_state.moving.stands_still() && !scratch.context.draining;
        if stands_still && self.can_stand_still() {
            if let Some(outcome) = self.still_turn(key, scratch) {
                return outcome;
            }
        }
        let start = TurnStart::new(&scratch.limits);
        let outcome = self.full_turn(key, scratch, start);
        let comes_to_rest = stands_still && outcome == TurnOutcome::Wait && self.can_stand_still();
        let comes_to_rest = comes_to_rest && scratch.environment.mailboxes.is_unused(key);
        if comes_to_rest { TurnOutcome::Again } else { outcome }
    }

    /// Whether the connection has no turn but for messages while all stand still.
    pub(super) fn can_stand_still(&self) -> bool {
        let pending = self.pending.as_deref();
        let sends_file = pending.is_some_and(|pending| pending.output.has_file());
        !sends_file && self.check_still(pending).is_ok()
    }

    /// Joins the pool, takes the messages that wait, or leaves for another process. `None` if something is to come that
    /// the connection has asked for: then it has its turn.
    fn still_turn(
        &mut self,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> Option<TurnOutcome> {
        let has_pending = self.pending.is_some();
        scratch.output.begin_turn();
        let resumed = match self.take_pending(key, scratch) {
            Ok(resumed) => resumed,
            Err(outcome) => return Some(outcome),
        };
        let mut pending = resumed.into_pending(UnsentOutput::default());
        let is_unused = !Self::HAS_MAILBOX || scratch.environment.mailboxes.is_unused(key);
        let leaves = is_unused && scratch.pool_state.moving.leaves();
        if leaves && self.try_leave(&mut pending, key, scratch) {
            return Some(TurnOutcome::Ended(Ended::Moved));
        }
        if has_pending {
            pending.output = scratch.output.keep();
            self.pending = Some(scratch.boxes.fill(pending));
        }
        if is_unused {
            return Some(TurnOutcome::Wait);
        }
        let messages = scratch.environment.mailboxes.queued(key);
        (messages > 0).then(|| self.message_turn(key, scratch))
    }

    /// Runs a turn for messages, which sees no input. The next turn takes the messages that it leaves.
    fn message_turn(&mut self, key: Key, scratch: &mut ConnectionScratch<M, H>) -> TurnOutcome {
        let mut unread = Vec::new();
        if let Some(pending) = &mut self.pending {
            unread = std::mem::take(&mut pending.input);
            pending.progress = DecodeProgress::default();
        }
        let hidden = self.state.hide_input();
        let start = TurnStart::new(&scratch.limits);
        let outcome = self.full_turn(key, scratch, start);
        self.state.restore_input(hidden);
        if let TurnOutcome::Ended(_) = outcome {
            return outcome;
        }
        if !unread.is_empty() {
            let pending = self.pending.take().map(|pending| scratch.boxes.empty(pending));
            let pending = Pending::<M> { input: unread, ..pending.unwrap_or_default() };
            self.pending = Some(scratch.boxes.fill(pending));
            self.state.set_idle(false);
        }
        TurnOutcome::Again
    }
}

//! A turn in full: what it takes up, and what it leaves for the next one.

use std::io;

use crate::connection::goodbye::Goodbye;
use crate::connection::scratch::{ConnectionScratch, Leaving};
use crate::connection::turn::{TurnEnd, TurnStart};
use crate::connection::{ConnectionTask, Pending};
use crate::machine::input::DecodeProgress;
use crate::machine::other::sealed::OtherEndSlot;
use crate::machine::runner::StopReason;
use crate::net::other_end::OtherEnd;
use crate::net::pending_io::{NewConnection, PendingIo};
use crate::net::readiness::Readiness;
use crate::net::send_buffer::UnsentOutput;
use crate::net::token;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::scheduler::task::TurnOutcome;
use crate::spec::Features;
use crate::{Drive, Ended, Key, Machine, WaitSet};

/// The pending input and deadlines that a turn takes up. The output moves to the thread's buffer.
pub(super) struct ResumedIo<M: Machine> {
    pub(super) input: Vec<u8>,
    pub(super) progress: DecodeProgress<M::Partial>,
    pub(super) other_progress: Option<Box<DecodeProgress<M::Partial>>>,
    pub(super) send_by: u64,
    pub(super) first_by: u64,
    pub(super) expired_while_full: bool,
}

impl<M: Machine> ResumedIo<M> {
    /// Makes it pending again, with the output that is left.
    pub(super) fn into_pending(self, output: UnsentOutput) -> Pending<M> {
        let Self { input, progress, other_progress, send_by, first_by, expired_while_full } = self;
        Pending::<M> {
            input,
            progress,
            other_progress,
            output,
            send_by,
            first_by,
            expired_while_full,
            incoming: None,
        }
    }
}

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Runs a turn of a connection that may have another socket.
    pub(super) fn turn_with_other(
        &mut self,
        key: Key,
        readiness: Readiness,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        let (first, other) = readiness.apart();
        self.state.add(first);
        if let Some(end) = self.other.get() {
            end.state.add(other);
        }
        #[cfg(all(feature = "pool", unix))]
        if Self::is_asked(scratch) {
            return self.asked_turn(key, scratch);
        }
        let start = TurnStart::new(&scratch.limits);
        self.full_turn(key, scratch, start)
    }

    /// Runs a turn in full: takes up the pending input and output, runs the machine, and stores the
    /// input and output that are pending then.
    ///
    /// After `Gone` nothing of the connection is left in `scratch`; after a panic its output may be.
    #[inline(never)]
    pub(super) fn full_turn(
        &mut self,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
        start: TurnStart<M::Partial>,
    ) -> TurnOutcome {
        scratch.output.begin_turn();
        if const { M::SPEC.uses(Features::OTHER) } {
            scratch.other.output.begin_turn();
        }
        let resumed = match self.take_pending(key, scratch) {
            Ok(resumed) => resumed,
            Err(outcome) => return outcome,
        };
        let (mut send_by, first_by) = (resumed.send_by, resumed.first_by);
        match self.goodbye {
            Goodbye::NotSaid
            | Goodbye::RefusedOddTime
            | Goodbye::RefusedEvenTime
            | Goodbye::Said => {}
            Goodbye::Closing(why) => return self.close(why, send_by, false, key, scratch),
            Goodbye::ClosingOther => {
                let why = self.other.peek().and_then(|other| other.closes);
                return self.close(why.unwrap_or(Ended::Done), send_by, false, key, scratch);
            }
            Goodbye::EndAsked => return self.end_as_asked(scratch),
            Goodbye::ShedAsked | Goodbye::ShedSaid | Goodbye::ShedCloses => {
                self.put_back(resumed, scratch);
                return self.shed_turn(key, scratch, start);
            }
        }
        let Some(turn) = self.begin_turn(key, scratch, start, resumed) else {
            return TurnOutcome::Ended(Ended::Panicked);
        };
        let end = turn.run_to_end();
        let has_last_words = end.sent > 0 || end.has_answered;
        let TurnEnd { reason, input, progress, other_progress, sent, expired_while_full, .. } = end;
        let reason = match reason {
            Ok(reason) => reason,
            Err(error) => return Self::broken(&error, key, scratch),
        };
        if sent > 0 {
            send_by = u64::MAX;
        }
        match reason {
            StopReason::Done => {
                return self.close(Ended::Done, u64::MAX, has_last_words, key, scratch);
            }
            StopReason::SendTimeout => return self.send_timed_out(scratch),
            StopReason::BusyLoop => {
                self.abort_if_unsent(scratch.output.len());
                scratch.output.discard();
                return TurnOutcome::Ended(Ended::BusyLoop);
            }
            StopReason::Leaving => {
                if let Some(hand_off) = scratch.environment.mailboxes.take_hand_off(key) {
                    let output = scratch.output.keep();
                    scratch.leaving = Some(Leaving { hand_off, input, output });
                    return TurnOutcome::Ended(Ended::HandedOff);
                }
            }
            _ => {}
        }
        let first_by = if self.state.is_unheard() { first_by } else { u64::MAX };
        let expired_while_full =
            expired_while_full && scratch.output.len() >= scratch.limits.output;
        let pending = Pending::<M> {
            input,
            progress,
            other_progress,
            send_by,
            first_by,
            expired_while_full,
            ..Pending::<M>::default()
        };
        #[cfg(all(feature = "pool", unix))]
        let mut pending = pending;
        #[cfg(all(feature = "pool", unix))]
        if Self::leaves_after_turn(scratch) && self.try_leave(&mut pending, key, scratch) {
            return TurnOutcome::Ended(Ended::Moved);
        }
        self.store_pending(reason, pending, key, scratch)
    }

    /// Takes up the pending output, and returns the pending input and deadlines. Fails when the
    /// connection cannot join the pool.
    pub(super) fn take_pending(
        &mut self,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> Result<ResumedIo<M>, TurnOutcome> {
        let Some(pending) = self.pending.take() else {
            return Ok(ResumedIo {
                input: Vec::new(),
                progress: DecodeProgress::default(),
                other_progress: None,
                send_by: u64::MAX,
                first_by: u64::MAX,
                expired_while_full: false,
            });
        };
        let PendingIo {
            input,
            progress,
            other_progress,
            output,
            send_by,
            first_by,
            expired_while_full,
            incoming,
        } = scratch.boxes.empty(pending);
        scratch.output.resume(output);
        if let Some(new) = incoming {
            if let Err(error) = self.join_pool(key, new, scratch) {
                let peer = new.peer;
                crate::log::warn!(%peer, %error, "a connection is lost");
                self.abort_if_unsent(scratch.output.len());
                return Err(Self::reset(scratch));
            }
        }
        if send_by <= scratch.context.now {
            // A poll may report room late, when much of the socket's buffer is free again.
            self.state.add(Readiness::WRITE);
        }
        if first_by <= scratch.context.now {
            // What has come in time is answered, also if its event is still to come.
            self.state.add(Readiness::READ);
        }
        Ok(ResumedIo { input, progress, other_progress, send_by, first_by, expired_while_full })
    }

    /// Joins the pool: registers with the poll, opens the mailbox, and makes the handler. Events and
    /// messages can arrive from now on.
    fn join_pool(
        &mut self,
        key: Key,
        new: NewConnection,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> io::Result<()> {
        let NewConnection { peer, target } = new;
        if let Some(outgoing) = &scratch.environment.outgoing {
            outgoing.joined(key, target, scratch.context.now);
        }
        if let Some(registry) = &scratch.registry {
            self.socket.register(registry, token::from_key(key))?;
        }
        if Self::HAS_MAILBOX {
            scratch.environment.mailboxes.open(key);
        }
        match (&mut self.handler, &scratch.make) {
            (Some(handler), _) if const { M::SPEC.moves } => M::moved(handler, key),
            // The user's function runs in the connection's turn and not where connections are accepted,
            // so that a slow one keeps no other connection waiting.
            (handler, Some(make)) => *handler = Some(make(peer)),
            _ => {}
        }
        Ok(())
    }

    /// Stores the pending input and output at the end of a turn, or closes a connection that drains and
    /// has none.
    fn store_pending(
        &mut self,
        reason: StopReason,
        mut pending: Pending<M>,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        let (now, timeout) = (scratch.context.now, scratch.limits.send_timeout);
        if let Err(error) = self.socket.check_time(now, timeout) {
            return match error.kind() {
                io::ErrorKind::TimedOut => self.send_timed_out(scratch),
                _ => Self::broken(&error, key, scratch),
            };
        }
        let unsent = !scratch.output.is_empty();
        // Files have had their share of the turn, and the peer takes more.
        let paused = unsent && self.state.is_writable();
        let paused = paused || self.other.peek().is_some_and(OtherEnd::goes_on);
        if unsent {
            pending.send_by = pending.send_by.min(now.saturating_add(timeout));
            if pending.send_by <= now {
                return self.send_timed_out(scratch);
            }
            pending.output = scratch.output.keep();
        }
        let nothing_pending =
            !unsent && pending.input.is_empty() && !pending.progress.outlives_input();
        let nothing_pending = nothing_pending && pending.other_progress.is_none();
        let socket_goes_on = self.socket.goes_on(self.state);
        let is_idle = nothing_pending && reason.waits_for(WaitSet::READ);
        let is_idle = is_idle && self.socket.due() == u64::MAX && !socket_goes_on;
        // The fast path notes no transitions.
        #[cfg(feature = "transitions")]
        let is_idle = is_idle && !scratch.context.edges.are_noted();
        self.state.set_idle(is_idle);
        if !nothing_pending {
            if pending.first_by <= now {
                // It is over, and there is something else to wait for.
                pending.first_by = u64::MAX;
            }
            self.pending = Some(scratch.boxes.fill(pending));
        } else if scratch.context.draining
            && !self.other_sends()
            && reason != StopReason::BudgetSpent
            && M::SPEC.states[self.machine.state()].rest
            && !Self::awaits_reply(reason, key, scratch)
        {
            if self.is_in_grace(&mut pending, scratch) {
                self.pending = Some(scratch.boxes.fill(pending));
                return TurnOutcome::Wait;
            }
            if const { M::SPEC.uses(Features::DRAIN) } && self.say_goodbye(key, scratch) {
                return TurnOutcome::Again;
            }
            return self.close(Ended::Drained, u64::MAX, false, key, scratch);
        }
        let again = paused || reason == StopReason::BudgetSpent || socket_goes_on;
        if again { TurnOutcome::Again } else { TurnOutcome::Wait }
    }

    /// Whether output is on its way to the other socket.
    pub(super) fn other_sends(&self) -> bool {
        self.other.peek().is_some_and(OtherEnd::sends)
    }

    /// Whether the reply to a job that the connection has given away is to come, or has just come.
    fn awaits_reply(reason: StopReason, key: Key, scratch: &ConnectionScratch<M, H>) -> bool {
        let takes_messages = reason.waits_for(WaitSet::MESSAGE);
        M::SPEC.messages && scratch.environment.mailboxes.awaits_reply(key, takes_messages)
    }
}

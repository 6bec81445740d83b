//! A task with a socket.

use std::io;

#[cfg(feature = "transitions")]
use crate::Trigger;
use crate::call::hand_off::{CarriedIo, DetachedConnection};
use crate::connection::goodbye::Goodbye;
use crate::connection::scratch::{ConnectionScratch, Leaving};
use crate::connection::turn::{TurnEnd, TurnStart};
use crate::machine::deadlines::sealed::DeadlineSet;
use crate::machine::input::DecodeProgress;
use crate::machine::other::sealed::OtherEndSlot;
use crate::machine::runner::{MachineRunner, Started, StopReason};
use crate::net::other_end::OtherEnd;
use crate::net::pending_io::{FreeList, NewConnection, PendingIo};
use crate::net::readiness::Readiness;
use crate::net::send_buffer::SendBuffer;
use crate::net::stream_state::StreamState;
use crate::net::token;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::panics::caught;
use crate::scheduler::task::{Task, TurnOutcome, WorkerContext};
use crate::spec::Features;
use crate::{Drive, Ended, Key, Machine, Spec, WaitSet};

mod close;
mod datagrams;
mod fast_path;
mod goodbye;
#[cfg(all(feature = "pool", unix))]
pub(crate) mod moving;
mod other;
mod relay;
pub(crate) mod scratch;
mod shed;
mod starttls;
#[cfg(all(feature = "pool", unix))]
mod still;
mod turn;
mod visible;

/// A connection between its turns: a socket, a machine and its handler.
///
/// The fields lie side by side, and not in a struct each, so that an idle connection takes as few bytes
/// as can be. A turn borrows them as a [`Stream`](crate::net::stream::Stream) and a
/// [`MachineRunner`](crate::machine::runner::MachineRunner). Unread input and unsent output that are
/// left between two turns lie in a box that most connections do not have.
pub(crate) struct ConnectionTask<M: Machine, H, S> {
    socket: S,
    state: StreamState,
    machine: M,
    deadlines: M::Deadlines,
    /// `None` until the first turn makes it, and when the machine has ended.
    handler: Option<H>,
    goodbye: Goodbye,
    /// The other socket, in a machine that has one.
    other: M::Other,
    pending: Option<Box<Pending<M>>>,
}

/// The pending input and output of a connection of `M`.
pub(crate) type Pending<M> = PendingIo<DecodeProgress<<M as Machine>::Partial>>;

/// The boxes for the pending input and output of a pool's connections.
pub(crate) type PendingBoxes<M> = FreeList<DecodeProgress<<M as Machine>::Partial>>;

/// The pending input and deadlines that a turn takes up. The output moves to the thread's buffer.
struct ResumedIo<M: Machine> {
    input: Vec<u8>,
    progress: DecodeProgress<M::Partial>,
    other_progress: Option<Box<DecodeProgress<M::Partial>>>,
    send_by: u64,
    expired_while_full: bool,
}

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Whether the connection has a mailbox.
    pub(crate) const HAS_MAILBOX: bool = M::SPEC.uses(Features::MAILBOX);

    /// A connection with a handler.
    pub(crate) fn new(socket: S, Started { machine, deadlines }: Started<M>, handler: H) -> Self {
        let (state, handler) = (StreamState::NEW, Some(handler));
        Self {
            socket,
            state,
            machine,
            deadlines,
            handler,
            goodbye: Goodbye::NotSaid,
            other: M::Other::default(),
            pending: None,
        }
    }

    /// A new connection. Its first turn makes the handler.
    pub(crate) fn incoming(
        new: NewConnection,
        socket: S,
        Started { machine, deadlines }: Started<M>,
        CarriedIo { input, output, ended, shut }: CarriedIo,
        boxes: &PendingBoxes<M>,
    ) -> Self {
        let mut state = StreamState::NEW;
        if ended {
            state.set_ended();
        }
        if shut {
            state.set_shut();
        }
        let pending =
            Pending::<M> { input, output, incoming: Some(new), ..Pending::<M>::default() };
        let pending = Some(boxes.fill(pending));
        Self {
            socket,
            state,
            machine,
            deadlines,
            handler: None,
            goodbye: Goodbye::NotSaid,
            other: M::Other::default(),
            pending,
        }
    }

    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }

    pub(crate) fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// The number of bytes that were written and that the socket has not taken.
    pub(crate) fn unsent(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| pending.output.len())
    }

    /// The number of bytes that were read and not used.
    pub(crate) fn unread(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| pending.input.len())
    }

    #[inline]
    fn is_tick_due(&mut self, scratch: &ConnectionScratch<M, H>) -> bool {
        let Self { machine, deadlines, .. } = self;
        let settings = &scratch.environment.settings;
        MachineRunner { machine, deadlines }.is_tick_due(scratch.context.now, settings)
    }

    /// Runs a turn of a connection that may have another socket.
    fn turn_with_other(
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
    fn full_turn(
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
        let mut send_by = resumed.send_by;
        match self.goodbye {
            Goodbye::NotSaid
            | Goodbye::RefusedOddTime
            | Goodbye::RefusedEvenTime
            | Goodbye::Said => {}
            Goodbye::Closing(why) => return self.close(why, send_by, false, key, scratch),
            Goodbye::EndAsked => return self.end_as_asked(scratch),
            Goodbye::ShedAsked | Goodbye::ShedSaid | Goodbye::ShedCloses => {
                self.put_back(resumed, scratch);
                return self.shed_turn(key, scratch, start);
            }
        }
        let Some(turn) = self.begin_turn(key, scratch, start, resumed) else {
            return TurnOutcome::Ended(Ended::Panicked);
        };
        let TurnEnd { reason, input, progress, other_progress, sent, expired_while_full } =
            turn.run_to_end();
        let reason = match reason {
            Ok(reason) => reason,
            Err(error) => return Self::broken(&error, key, scratch),
        };
        if sent > 0 {
            send_by = u64::MAX;
        }
        match reason {
            StopReason::Done => return self.close(Ended::Done, u64::MAX, sent > 0, key, scratch),
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
        let expired_while_full =
            expired_while_full && scratch.output.len() >= scratch.limits.output;
        let pending = Pending::<M> {
            input,
            progress,
            other_progress,
            send_by,
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
    fn take_pending(
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
                expired_while_full: false,
            });
        };
        let PendingIo {
            input,
            progress,
            other_progress,
            output,
            send_by,
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
        Ok(ResumedIo { input, progress, other_progress, send_by, expired_while_full })
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
        let is_idle = nothing_pending && reason.waits_for(WaitSet::READ);
        let is_idle = is_idle && self.socket.due() == u64::MAX;
        // The fast path notes no transitions.
        #[cfg(feature = "transitions")]
        let is_idle = is_idle && !scratch.context.edges.are_noted();
        self.state.set_idle(is_idle);
        if !nothing_pending {
            self.pending = Some(scratch.boxes.fill(pending));
        } else if scratch.context.draining
            && reason != StopReason::BudgetSpent
            && M::SPEC.states[self.machine.state()].rest
            && !Self::awaits_reply(reason, key, scratch)
        {
            if const { M::SPEC.uses(Features::DRAIN) } && self.say_goodbye(key, scratch) {
                return TurnOutcome::Again;
            }
            return self.close(Ended::Drained, u64::MAX, false, key, scratch);
        }
        let again = paused || reason == StopReason::BudgetSpent || self.socket.goes_on(self.state);
        if again { TurnOutcome::Again } else { TurnOutcome::Wait }
    }

    /// Whether the reply to a job that the connection has given away is to come, or has just come.
    fn awaits_reply(reason: StopReason, key: Key, scratch: &ConnectionScratch<M, H>) -> bool {
        let takes_messages = reason.waits_for(WaitSet::MESSAGE);
        M::SPEC.messages && scratch.environment.mailboxes.awaits_reply(key, takes_messages)
    }

    /// Takes the `drain` edge of the state, once a connection. Returns whether it did.
    #[cold]
    fn say_goodbye(&mut self, key: Key, scratch: &ConnectionScratch<M, H>) -> bool {
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
    fn drained(state: usize, key: Key, scratch: &ConnectionScratch<M, H>) {
        #[cfg(feature = "transitions")]
        if let Some(edge) = M::SPEC.edge_of(state, &|on| matches!(on, Trigger::Drain)) {
            scratch.context.edges.count(edge);
            scratch.environment.note_transition(key, &scratch.context);
        }
        #[cfg(not(feature = "transitions"))]
        let _ = (state, key, scratch);
    }

    /// Ends a connection because somebody asked for it.
    #[cold]
    fn end_as_asked(&mut self, scratch: &mut ConnectionScratch<M, H>) -> TurnOutcome {
        self.abort_if_unsent(scratch.output.len());
        scratch.output.discard();
        TurnOutcome::Ended(Ended::Closed)
    }

    /// Makes the close a reset if it loses output: the `unsent` bytes or pending ones.
    fn abort_if_unsent(&mut self, unsent: usize) {
        if unsent > 0 || self.unsent() > 0 {
            self.socket.abort();
        }
    }

    #[cold]
    fn drop_panicked(key: Key) {
        crate::log::error!(%key, machine = M::SPEC.name, "a handler panicked while it was dropped");
    }

    /// Ends a connection whose stream has failed.
    #[cold]
    fn broken(error: &io::Error, key: Key, scratch: &mut ConnectionScratch<M, H>) -> TurnOutcome {
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => Ended::Truncated,
            io::ErrorKind::InvalidData => S::FAILURE,
            _ => return Self::reset(scratch),
        };
        crate::log::debug!(%key, machine = M::SPEC.name, %error, "a connection ends: {why}");
        if let (Ended::TlsFailed | Ended::LayerFailed, Some(outgoing)) =
            (why, &scratch.environment.outgoing)
        {
            outgoing.layer_failed(key, error);
        }
        scratch.output.discard();
        TurnOutcome::Ended(why)
    }

    fn reset(scratch: &mut ConnectionScratch<M, H>) -> TurnOutcome {
        scratch.output.discard();
        TurnOutcome::Ended(Ended::Reset)
    }
}

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> Task for ConnectionTask<M, H, S> {
    type Scratch = ConnectionScratch<M, H>;
    const SPEC: &'static Spec = M::SPEC;

    #[expect(clippy::inline_always, reason = "counted: it is the short turn of an event")]
    #[inline(always)]
    fn turn(
        &mut self,
        key: Key,
        readiness: Readiness,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        if const { M::SPEC.uses(Features::OTHER) } {
            return self.turn_with_other(key, readiness, scratch);
        }
        if const { M::SPEC.uses(Features::DATAGRAMS) } {
            return self.turn_with_datagrams(key, readiness, scratch);
        }
        self.state.add(readiness);
        #[cfg(all(feature = "pool", unix))]
        if Self::is_asked(scratch) {
            return self.asked_turn(key, scratch);
        }
        if self.state.is_idle_with_input() && !self.is_tick_due(scratch) {
            self.fast_path(key, scratch)
        } else if const { M::SPEC.messages } && self.has_messages_alone(readiness, scratch) {
            self.turn_on_messages(key, scratch)
        } else {
            let start = TurnStart::new(&scratch.limits);
            self.full_turn(key, scratch, start)
        }
    }

    #[inline]
    fn due(&self) -> u64 {
        let due = match &self.pending {
            Some(pending) => self.deadlines.earliest().min(pending.send_by),
            None => self.deadlines.earliest(),
        };
        let due = if self.closes() { due } else { due.min(self.socket.due()) };
        match self.other.peek() {
            Some(other) => due.min(other.due()),
            None => due,
        }
    }

    #[inline]
    fn state(&self) -> usize {
        self.machine.state()
    }

    fn is_at_rest(&self) -> bool {
        let rests = M::SPEC.states[self.machine.state()].rest;
        rests && self.goodbye.has_not_begun() && self.pending.is_none()
    }

    fn closes(&self) -> bool {
        matches!(self.goodbye, Goodbye::Closing(_) | Goodbye::ShedCloses)
    }

    fn end_next(&mut self) -> bool {
        self.goodbye = Goodbye::EndAsked;
        // The next turn is a full one.
        self.state.set_idle(false);
        true
    }

    fn shed_next(&mut self) -> bool {
        self.ask_to_leave()
    }

    #[cfg(all(feature = "pool", unix))]
    fn move_next(&mut self, odd_time: bool) {
        self.ask_to_move(odd_time);
    }

    fn abort(&mut self) {
        self.abort_if_unsent(0);
    }

    fn on_end(mut self, key: Key, why: Ended, scratch: &mut ConnectionScratch<M, H>) {
        #[cfg(all(feature = "pool", unix))]
        if const { M::SPEC.moves } && why == Ended::Moved {
            return self.depart(key, scratch);
        }
        // Counts before the peer can see the end.
        scratch.counters.ended(why);
        scratch.environment.forget(key);
        let leaving = scratch.leaving.take();
        if let Some(other) = self.other.get() {
            // Its peer must not take what it has got for the whole.
            other.close(!matches!(why, Ended::Done | Ended::Drained) || other.output.len() > 0);
        }
        if leaving.is_none() {
            self.abort_if_unsent(0);
        }
        let closed =
            !Self::HAS_MAILBOX || caught(|| scratch.environment.mailboxes.close(key)).is_some();
        let Self { socket, state, handler, machine, pending, .. } = self;
        let (mut moves, ends) = match &leaving {
            Some(_) => (Some(socket), None),
            None => (None, Some(socket)),
        };
        let dropped = caught(|| drop((handler, machine, pending))).is_some();
        // The socket may have a layer of the user's.
        let dropped = caught(|| drop(ends)).is_some() && dropped;
        if !closed || !dropped {
            Self::drop_panicked(key);
        }
        if let Some(Leaving { hand_off, input, output }) = leaving {
            let layer = moves.as_mut().and_then(Source::take_layer);
            let socket = moves.zip(scratch.registry.as_deref());
            let socket = socket.and_then(|(socket, registry)| socket.detach(registry));
            let (ended, shut) = (state.has_ended(), state.is_shut());
            let carried = CarriedIo { input, output, ended, shut };
            hand_off.complete(DetachedConnection { socket, layer, carried });
        }
        scratch.pool_state.released();
        if let Some(outgoing) = &scratch.environment.outgoing {
            if caught(|| outgoing.ended(key, scratch.context.now)).is_none() {
                crate::log::error!(%key, machine = M::SPEC.name, "a job panicked while it was dropped");
            }
        }
    }

    fn recover(&mut self, scratch: &mut ConnectionScratch<M, H>) {
        scratch.leaving = None;
        self.abort_if_unsent(scratch.output.len());
        // Shared output may have an owner of the user's, whose drop may panic, too.
        if caught(|| scratch.output.discard()).is_none() {
            scratch.output = SendBuffer::default();
        }
        if caught(|| scratch.other.output.discard()).is_none() {
            scratch.other.output = SendBuffer::default();
        }
    }

    fn context(scratch: &mut ConnectionScratch<M, H>) -> &mut WorkerContext {
        &mut scratch.context
    }
}

//! A task with a socket.

use crate::call::hand_off::CarriedIo;
use crate::connection::goodbye::Goodbye;
use crate::connection::scratch::ConnectionScratch;
use crate::connection::turn::TurnStart;
use crate::machine::deadlines::sealed::DeadlineSet;
use crate::machine::input::DecodeProgress;
use crate::machine::other::sealed::OtherEndSlot;
use crate::machine::runner::{MachineRunner, Started};
use crate::net::pending_io::{FreeList, NewConnection, PendingIo};
use crate::net::readiness::Readiness;
use crate::net::send_buffer::SendBuffer;
use crate::net::stream_state::StreamState;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::panics::caught;
use crate::scheduler::task::{Task, TurnOutcome, WorkerContext};
use crate::spec::{Features, Wait};
use crate::{Drive, Ended, Key, Machine, Spec};

mod close;
mod datagrams;
mod end;
mod fast_path;
mod full_turn;
mod goodbye;
mod grace;
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

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Whether the connection has a mailbox.
    pub(crate) const HAS_MAILBOX: bool = M::SPEC.uses(Features::MAILBOX);

    /// A connection with a handler, whose peer has connected by itself.
    pub(crate) fn new(socket: S, Started { machine, deadlines }: Started<M>, handler: H) -> Self {
        let mut connection = Self {
            socket,
            state: StreamState::NEW,
            machine,
            deadlines,
            handler: Some(handler),
            goodbye: Goodbye::NotSaid,
            other: M::Other::default(),
            pending: None,
        };
        connection.expect_first_bytes();
        connection
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

    /// Whether messages wait that its state takes.
    #[inline]
    pub(crate) fn has_messages(&self, key: Key, scratch: &ConnectionScratch<M, H>) -> bool {
        M::SPEC.messages
            && M::SPEC.states[self.machine.state()]
                .waits
                .iter()
                .any(|wait| matches!(wait, Wait::Message))
            && scratch.environment.mailboxes.queued(key) > 0
    }

    #[inline]
    fn is_tick_due(&mut self, scratch: &ConnectionScratch<M, H>) -> bool {
        let Self { machine, deadlines, .. } = self;
        let settings = &scratch.environment.settings;
        MachineRunner { machine, deadlines }.is_tick_due(scratch.context.now, settings)
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
        if self.state.is_idle_with_input(const { M::SPEC.uses(Features::JOBS) })
            && !self.is_tick_due(scratch)
        {
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
            Some(pending) => self.deadlines.earliest().min(pending.send_by).min(pending.first_by),
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
        rests && self.goodbye.has_not_begun() && self.pending.is_none() && !self.other_sends()
    }

    fn closes(&self) -> bool {
        self.goodbye.closes()
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

    fn on_end(self, key: Key, why: Ended, scratch: &mut ConnectionScratch<M, H>) {
        self.end(key, why, scratch);
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

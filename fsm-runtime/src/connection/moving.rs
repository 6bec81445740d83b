//! How a connection leaves for another process, goes on after it was refused there, and comes from one.

use std::sync::Arc;

use crate::call::mailboxes::{CallState, MailboxContent};
use crate::connection::goodbye::Goodbye;
use crate::connection::scratch::ConnectionScratch;
use crate::connection::{ConnectionTask, Pending, PendingBoxes};
use crate::lifecycle::moving::Moving;
use crate::machine::deadlines::sealed::DeadlineSet;
use crate::machine::environment::EnvironmentOf;
use crate::machine::other::sealed::OtherEndSlot;
use crate::machine::runner::Started;
use crate::moves::departure::{Departure, Parked};
use crate::moves::packed_connection::PackedConnection;
use crate::moves::stays::Stays;
use crate::net::pending_io::NewConnection;
use crate::net::send_buffer::UnsentOutput;
use crate::net::socket::Socket;
use crate::net::stream_state::StreamState;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::panics::caught;
use crate::{Drive, Ended, Key, Machine, PackedFields};

/// Keeps connections that have left their port.
pub(crate) trait Park<M: Machine, H>: Send + Sync {
    /// Keeps a connection, which has left its poll, with its permit.
    fn park(self: Arc<Self>, connection: ConnectionTask<M, H, Socket>) -> Box<dyn Parked>;
}

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Whether the pool asks something of the connection if it is at rest.
    #[inline]
    pub(super) fn is_asked(scratch: &ConnectionScratch<M, H>) -> bool {
        M::SPEC.moves && scratch.pool_state.moving.asks()
    }

    /// Whether the connection leaves for another process if it is at rest after a turn. While all stand still it leaves
    /// in place of one.
    #[inline]
    pub(super) fn leaves_after_turn(scratch: &ConnectionScratch<M, H>) -> bool {
        let moving = &scratch.pool_state.moving;
        Self::is_asked(scratch) && moving.leaves() && !moving.stands_still()
    }

    /// Forgets that the connection was refused before this time.
    pub(super) fn ask_to_move(&mut self, odd_time: bool) {
        if self.goodbye.has_not_begun() && self.goodbye != Goodbye::refused(odd_time) {
            self.goodbye = Goodbye::NotSaid;
        }
    }

    /// Packs a connection at rest, at the end of a turn that leaves this pending. Returns whether it did.
    #[cold]
    pub(super) fn try_leave(
        &mut self,
        pending: &mut Pending<M>,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> bool {
        let output = scratch.output.keep();
        match self.pack(pending, &output, key, scratch) {
            Ok(packed) => {
                scratch.departing = Some(packed);
                let pending = Pending::<M> { output, ..std::mem::take(pending) };
                self.pending = Some(scratch.boxes.fill(pending));
                true
            }
            Err(why) => {
                scratch.output.resume(output);
                if !matches!(why, Stays::NotAtRest | Stays::Refused) {
                    let state = M::SPEC.states[self.machine.state()].name;
                    crate::log::debug!(%key, state, %why, "a connection does not move now");
                }
                false
            }
        }
    }

    /// Packs the connection, and shuts its mailbox. Returns the reason if it stays.
    fn pack(
        &self,
        pending: &mut Pending<M>,
        output: &UnsentOutput,
        key: Key,
        scratch: &ConnectionScratch<M, H>,
    ) -> Result<PackedConnection, Stays> {
        let ConnectionScratch { environment, context, limits, .. } = scratch;
        self.check_rest(pending, environment, &scratch.pool_state.moving)?;
        if Self::HAS_MAILBOX {
            let MailboxContent { awaited, call, .. } = environment.mailboxes.content(key);
            if awaited > 0 || !matches!(call, CallState::None) {
                return Err(Stays::InFlight);
            }
        }
        let handler = self.handler.as_ref().ok_or(Stays::NotAtRest)?;
        let unsent = output.to_vec().map_err(|_| Stays::File)?;
        if !unsent.is_empty() {
            let send_by = context.now.saturating_add(limits.send_timeout);
            pending.send_by = pending.send_by.min(send_by);
            if pending.send_by <= context.now {
                return Err(Stays::Closing);
            }
        }
        let state = M::SPEC.states[self.machine.state()].name;
        // The last step before `pack`, because no message can come after it: a handler that has packed leaves.
        if Self::HAS_MAILBOX && !environment.mailboxes.shut_if_unused(key) {
            return Err(Stays::Messages);
        }
        let packed = caught(|| {
            let (mut fields, mut data) = (PackedFields::default(), Vec::new());
            let timer = |index| self.machine.timer(index, &environment.settings);
            let moves = self.machine.pack(handler, &mut fields, &mut data);
            moves.then(|| (fields, data, self.deadlines.left(context.now, timer)))
        });
        if Self::HAS_MAILBOX && !matches!(packed, Some(Some(_))) {
            environment.mailboxes.reopen(key);
        }
        let Some(packed) = packed else {
            crate::log::error!(%key, machine = M::SPEC.name, state, "`pack` has panicked");
            return Err(Stays::PackPanicked);
        };
        let (fields, handler, timers) = packed.ok_or(Stays::NotAtRest)?;
        Ok(PackedConnection {
            pool: scratch.pool_state.facts.name.to_string(),
            machine: M::SPEC.name.to_owned(),
            state: state.to_owned(),
            fields,
            handler,
            unread: pending.input.clone(),
            unsent,
            ended: self.state.has_ended(),
            shut: self.state.is_shut(),
            expired_while_full: pending.expired_while_full,
            send_left: (pending.send_by != u64::MAX).then(|| pending.send_by - context.now),
            timers,
        })
    }

    /// Finds out whether the connection is in a state from which it can move, with nothing that cannot.
    fn check_rest(
        &self,
        pending: &Pending<M>,
        environment: &EnvironmentOf<M>,
        moving: &Moving,
    ) -> Result<(), Stays> {
        self.check_still(Some(pending))?;
        if self.goodbye == Goodbye::refused(moving.is_odd_time()) {
            return Err(Stays::Refused);
        }
        if environment.outgoing.is_some() {
            return Err(Stays::Opened);
        }
        Ok(())
    }

    /// Finds out whether the connection does nothing that cannot wait, as far as it shows by itself.
    pub(super) fn check_still(&self, pending: Option<&Pending<M>>) -> Result<(), Stays> {
        if !M::SPEC.states[self.machine.state()].rest {
            return Err(Stays::NotAtRest);
        }
        if !self.goodbye.has_not_begun() {
            return Err(Stays::Closing);
        }
        if !S::CAN_MOVE {
            return Err(Stays::Tls);
        }
        if self.other.peek().is_some() {
            return Err(Stays::OtherSocket);
        }
        let Some(pending) = pending else { return Ok(()) };
        if pending.other_progress.is_some() {
            return Err(Stays::OtherSocket);
        }
        if pending.input.is_empty() && pending.progress.outlives_input() {
            return Err(Stays::Discarding);
        }
        Ok(())
    }

    /// Gives the connection to those who take connections that move.
    #[cold]
    pub(super) fn depart(mut self, key: Key, scratch: &mut ConnectionScratch<M, H>) {
        scratch.environment.forget(key);
        if Self::HAS_MAILBOX {
            // Nothing of the user's is in it.
            scratch.environment.mailboxes.close(key);
        }
        let sink = scratch.pool_state.moving.sink();
        if sink.is_some() {
            // So that it is not asked again before the next time, if it comes back.
            self.goodbye = Goodbye::refused(scratch.pool_state.moving.is_odd_time());
        }
        let registry = scratch.registry.clone();
        let detached = caught(|| {
            self.with_socket(|socket| registry.and_then(|registry| socket.detach(&registry)))
        });
        let parts = (scratch.departing.take(), scratch.park.clone(), detached.flatten());
        let (Some(packed), Some(park), Some(connection)) = parts else {
            // The system did not let the socket leave its poll, which was logged.
            return scratch.pool_state.ended(Ended::Reset);
        };
        let departure = Departure::new(packed, park.park(connection));
        if let Some(sink) = sink {
            if caught(|| sink(departure)).is_none() {
                crate::log::error!(machine = M::SPEC.name, "a connection that was to move stays");
            }
        }
    }

    /// The same connection with another socket in place of its own, if there is one.
    pub(crate) fn with_socket<T>(
        self,
        replace: impl FnOnce(S) -> Option<T>,
    ) -> Option<ConnectionTask<M, H, T>> {
        let Self { socket, state, machine, deadlines, handler, goodbye, other, pending } = self;
        let socket = replace(socket)?;
        Some(ConnectionTask { socket, state, machine, deadlines, handler, goodbye, other, pending })
    }

    /// A connection that was refused elsewhere. Its first turn joins the pool again.
    pub(crate) fn refused(mut self, new: NewConnection, boxes: &PendingBoxes<M>) -> Self {
        let pending = self.pending.take().map(|pending| boxes.empty(pending)).unwrap_or_default();
        self.pending = Some(boxes.fill(Pending::<M> { incoming: Some(new), ..pending }));
        self.state.set_idle(false);
        self
    }

    /// A connection from another process. Its first turn joins the pool.
    pub(crate) fn moved_in(
        new: NewConnection,
        socket: S,
        Started { machine, deadlines }: Started<M>,
        handler: H,
        packed: &PackedConnection,
        now: u64,
        boxes: &PendingBoxes<M>,
    ) -> Self {
        let mut state = StreamState::NEW;
        if packed.ended {
            state.set_ended();
        }
        if packed.shut {
            state.set_shut();
        }
        let pending = Pending::<M> {
            input: packed.unread.clone(),
            output: UnsentOutput::from(packed.unsent.clone()),
            send_by: packed.send_left.map_or(u64::MAX, |left| now.saturating_add(left)),
            expired_while_full: packed.expired_while_full,
            incoming: Some(new),
            ..Pending::<M>::default()
        };
        Self {
            socket,
            state,
            machine,
            deadlines,
            handler: Some(handler),
            goodbye: Goodbye::NotSaid,
            other: M::Other::default(),
            pending: Some(boxes.fill(pending)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u5_what_is_noted_of_a_refusal_takes_no_byte() {
        assert_eq!((size_of::<Goodbye>(), size_of::<Ended>()), (1, 1));
    }
}

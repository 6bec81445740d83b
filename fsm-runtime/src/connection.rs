use std::cell::Cell;
use std::io;

use mio::Registry;

use crate::call::hand_off::{DetachedConnection, PendingHandOff};
use crate::call::mailboxes::Mailboxes;
use crate::connection::pending_io::{FreeList, PendingIo};
use crate::connection::scratch::{Leaving, Scratch};
use crate::machine::deadlines::sealed::Times;
use crate::machine::input::DecodeProgress;
use crate::machine::limits::Limits;
use crate::machine::runner::{Budget, MachineRunner, StopReason};
use crate::net::non_blocking::{Got, Link, Shut};
use crate::net::readiness::{self, Readiness};
use crate::net::recv_buffer::RecvBuffer;
use crate::net::send_buffer::{SendBuffer, UnsentOutput};
use crate::net::token;
use crate::net::transport::Transport;
use crate::scheduler::task::{Task, TurnOutcome, WorkerContext, caught};
use crate::{Cx, Drive, Ended, Input, Key, Machine, Peer, Spec};

mod fast_path;
pub(crate) mod pending_io;
pub(crate) mod scratch;

use fast_path::FastPathExit;

/// A connection: a socket, a machine and its handler.
///
/// Between turns it is just that and a few times. Input that waits for more and output that the
/// socket did not take are `pending`, in a box of its own that most connections do not have.
pub(crate) struct ConnectionTask<M: Machine, H, S> {
    socket: S,
    /// What is known of the socket.
    ready: Cell<Readiness>,
    machine: M,
    times: M::Times,
    /// Its first turn makes it.
    handler: Option<H>,
    /// Why it ends, while its last output is on its way.
    ending: Option<Ended>,
    pending: Option<Box<PendingIo<M::Partial>>>,
}

impl<M: Drive<H>, H, S: Transport> ConnectionTask<M, H, S> {
    /// Whether it has a mailbox.
    pub(crate) const MAIL: bool = M::SPEC.has_mailbox();

    /// A connection with a handler.
    pub(crate) fn new(socket: S, (machine, times): (M, M::Times), handler: H) -> Self {
        let (ready, handler) = (Cell::new(readiness::NEW), Some(handler));
        Self { socket, ready, machine, times, handler, ending: None, pending: None }
    }

    /// A connection of `peer`, whose handler is made later, with what came from another pool.
    pub(crate) fn of(
        peer: Peer,
        socket: S,
        (machine, times): (M, M::Times),
        (input, output, ended): (Vec<u8>, UnsentOutput, bool),
        free_list: &FreeList<M::Partial>,
    ) -> Self {
        let ready = Cell::new(readiness::NEW);
        let incoming = Some(peer);
        let pending =
            Some(free_list.fill(PendingIo { input, output, incoming, ..PendingIo::default() }));
        let conn = Self { socket, ready, machine, times, handler: None, ending: None, pending };
        if ended {
            conn.link().set_ended();
        }
        conn
    }

    #[inline]
    fn link(&self) -> Link<'_, S> {
        Link { socket: &self.socket, ready: &self.ready }
    }

    /// Registers with the poll, and has its mailbox opened: from now on there can be events for it.
    fn enter(
        &mut self,
        key: Key,
        registry: Option<&Registry>,
        mailboxes: &Mailboxes<M::Message>,
    ) -> io::Result<()> {
        if let Some(registry) = registry {
            self.socket.register(registry, token::from_key(key))?;
        }
        if Self::MAIL {
            mailboxes.open(key);
        }
        Ok(())
    }

    /// Before it is closed: if output is `lost` with it, the peer must not take what it got for all.
    fn abort_if(&self, lost: usize) {
        if lost > 0 || self.pending.as_ref().is_some_and(|pending| pending.output.len() > 0) {
            self.socket.abort();
        }
    }

    /// The bytes that were read and not used.
    pub(crate) fn unread(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| pending.input.len())
    }

    fn reset(scratch: &mut Scratch<M, H>) -> TurnOutcome {
        scratch.output.discard();
        TurnOutcome::Gone(Ended::Reset)
    }

    /// Runs the machine until it waits for something that has not come, or has had its share.
    ///
    /// After `Gone` nothing of the connection is left in `scratch`; after a panic its output may be.
    #[inline(never)]
    fn full_turn(
        &mut self,
        key: Key,
        scratch: &mut Scratch<M, H>,
        exit: Option<FastPathExit<M::Partial>>,
    ) -> TurnOutcome {
        let Limits { calls, bytes, output: mark, .. } = scratch.bounds;
        let mut unread = RecvBuffer::new(&mut scratch.buffer);
        let mut seen = DecodeProgress::default();
        let mut budget = Budget { calls, bytes, sent: 0, mark };
        let mut stopped = None;
        let mut has_read = false;
        let mut send_by = u64::MAX;
        let mut expired_while_full = false;
        if let Some(pending) = self.pending.take() {
            let pending = scratch.free_list.empty(pending);
            unread.resume(pending.input);
            seen = pending.seen;
            send_by = pending.send_by;
            expired_while_full = pending.expired_while_full;
            scratch.output.resume(pending.output);
            if let Some(peer) = pending.incoming {
                if let Err(error) = self.enter(key, scratch.registry.as_deref(), &scratch.mailboxes)
                {
                    tracing::warn!(%peer, %error, "a connection is lost");
                    self.abort_if(scratch.output.len());
                    return Self::reset(scratch);
                }
                if let Some(make) = &scratch.make {
                    // The user's code: it runs here and not where connections are accepted, so that
                    // nobody waits for it who could be served.
                    self.handler = Some(make(peer));
                }
            }
            if send_by <= scratch.context.now {
                // A poll may tell of room late, when much of the socket's buffer is free again.
                self.link().set(Readiness::WRITE);
            }
        }
        if let Some(why) = self.ending {
            return self.end(why, send_by, key, scratch);
        }
        let Self { socket, ready, machine, times, handler, .. } = self;
        let (link, mut runner) = (Link { socket, ready }, MachineRunner { machine, times });
        let Some(handler) = handler else { return TurnOutcome::Gone(Ended::Panicked) };
        if let Some(exit) = exit {
            unread.resume_at(exit.start, exit.end);
            seen = exit.seen;
            budget = exit.budget;
            stopped = exit.stopped;
            has_read = true;
        }
        let mut cx =
            Cx::new(&mut scratch.output, link.socket, &scratch.mailboxes, key, &scratch.context);
        let stopped = Self::run(
            (&mut runner, handler, &link),
            (&mut unread, &mut seen),
            &mut cx,
            (scratch.context.now, &mut expired_while_full),
            &mut budget,
            (stopped, has_read),
        );
        let flushed = stopped.and_then(|reason| {
            budget.sent(link.flush(cx.output())?);
            Ok(reason)
        });
        match flushed {
            Ok(StopReason::End) => self.end(Ended::Done, u64::MAX, key, scratch),
            Ok(StopReason::SendTimeout) => self.stalled(scratch),
            Ok(StopReason::BusyLoop) => {
                self.abort_if(scratch.output.len());
                scratch.output.discard();
                TurnOutcome::Gone(Ended::BusyLoop)
            }
            Ok(reason) => {
                if budget.sent > 0 {
                    send_by = u64::MAX;
                }
                expired_while_full &= scratch.output.len() >= mark;
                let input = unread.keep();
                if reason == StopReason::HandOff {
                    if let Some(hand_off) = hand_off(key, &scratch.mailboxes) {
                        let output = scratch.output.keep();
                        scratch.leaving = Some(Leaving { hand_off, input, output });
                        return TurnOutcome::Gone(Ended::HandedOff);
                    }
                }
                let output = UnsentOutput::default();
                self.settle(
                    reason,
                    PendingIo { input, seen, output, send_by, expired_while_full, incoming: None },
                    key,
                    scratch,
                )
            }
            Err(_) => Self::reset(scratch),
        }
    }

    /// Runs the machine, reads, and takes the edges of times that have passed. `before` is what it came
    /// to when it was run before, and whether that was after a read.
    fn run(
        (runner, handler, link): (&mut MachineRunner<'_, M>, &mut H, &Link<'_, S>),
        (unread, seen): (&mut RecvBuffer<'_>, &mut DecodeProgress<M::Partial>),
        cx: &mut Cx<'_, M::Message, M::Kind>,
        (now, expired_while_full): (u64, &mut bool),
        budget: &mut Budget,
        (mut before, mut has_read): (Option<StopReason>, bool),
    ) -> io::Result<StopReason> {
        loop {
            let reason = if let Some(reason) = before.take() {
                reason
            } else {
                let mut input = Input::resumed(unread.bytes(), std::mem::take(seen), link.ended());
                let stopped = runner.run(handler, &mut input, cx, link, now, budget);
                let rest = input.rest().len();
                *seen = input.into_seen();
                unread.leave(rest);
                stopped?
            };
            let readable = reason == StopReason::Input && link.readable();
            // What has come in time is taken before the edge of a time that has passed; but only
            // what one read gets, so that a peer that sends and sends does not put it off.
            if runner.due() <= now && (has_read || !readable) && reason != StopReason::End {
                let stuck = cx.backlog() >= budget.mark;
                if stuck && !runner.sleeps() {
                    // The edge may write. Once is well, but what deadlines write must not pile up.
                    if std::mem::replace(expired_while_full, true) {
                        return Ok(StopReason::SendTimeout);
                    }
                }
                runner.lapse(handler, now, stuck, cx);
                *seen = DecodeProgress::default();
                budget.calls = budget.calls.saturating_sub(1);
                if budget.calls == 0 {
                    return Ok(StopReason::BudgetSpent);
                }
                continue;
            }
            match reason {
                StopReason::Input if readable && budget.bytes == 0 => {
                    return Ok(StopReason::BudgetSpent);
                }
                StopReason::Input if readable => {}
                StopReason::Message if link.may_have_ended() => {
                    // The peer may be gone, and nobody would read to see it.
                    if unread.is_full() && link.hung_up() {
                        link.set_ended();
                        continue;
                    } else if unread.is_full() {
                        return Ok(reason);
                    }
                }
                StopReason::Message | StopReason::HandOff | StopReason::Other if link.broken() => {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                _ => return Ok(reason),
            }
            has_read = true;
            match unread.read(link)? {
                Got::Bytes(n) => budget.bytes = budget.bytes.saturating_sub(n),
                Got::End => {}
                Got::Nothing if runner.due() <= now => {}
                Got::Nothing => return Ok(reason),
            }
        }
    }

    /// Keeps what is left over, if anything is.
    fn settle(
        &mut self,
        reason: StopReason,
        mut rest: PendingIo<M::Partial>,
        key: Key,
        scratch: &mut Scratch<M, H>,
    ) -> TurnOutcome {
        let driver = !scratch.output.is_empty();
        if driver {
            rest.send_by =
                rest.send_by.min(scratch.context.now.saturating_add(scratch.bounds.stall));
            if rest.send_by <= scratch.context.now {
                return self.stalled(scratch);
            }
            rest.output = scratch.output.keep();
        }
        let rests = !driver && rest.input.is_empty();
        self.link().set_eager(rests && reason == StopReason::Input);
        if !rests {
            self.pending = Some(scratch.free_list.fill(rest));
        } else if scratch.context.draining
            && reason != StopReason::BudgetSpent
            && M::SPEC.states[self.machine.state()].rest
        {
            return self.end(Ended::Drained, u64::MAX, key, scratch);
        }
        if reason == StopReason::BudgetSpent { TurnOutcome::Again } else { TurnOutcome::Wait }
    }

    /// Sends what is left to send and ends the stream, as long as the peer takes it.
    fn end(
        &mut self,
        why: Ended,
        send_by: u64,
        key: Key,
        scratch: &mut Scratch<M, H>,
    ) -> TurnOutcome {
        if self.ending.is_none() {
            self.ending = Some(why);
            self.link().set_eager(false);
            if Self::MAIL {
                // Nobody is there any more to take them.
                scratch.mailboxes.close(key);
            }
            self.times = M::Times::only(u64::MAX);
        }
        let lingers_until = scratch.context.now.saturating_add(scratch.bounds.linger);
        let Ok(sent) = self.link().flush(&mut scratch.output) else {
            scratch.output.discard();
            return TurnOutcome::Gone(why);
        };
        if !scratch.output.is_empty() {
            let send_by = if sent > 0 { lingers_until } else { send_by.min(lingers_until) };
            if send_by <= scratch.context.now {
                return self.stalled(scratch);
            }
            let output = scratch.output.keep();
            self.pending =
                Some(scratch.free_list.fill(PendingIo { output, send_by, ..PendingIo::default() }));
            return TurnOutcome::Wait;
        }
        let after = match self.link().shut(&mut scratch.buffer) {
            Shut::Whole => return TurnOutcome::Gone(why),
            Shut::Listening => TurnOutcome::Wait,
            Shut::Hearing => TurnOutcome::Again,
        };
        if self.times.due() == u64::MAX {
            self.times = M::Times::only(lingers_until);
        }
        if self.times.due() <= scratch.context.now { TurnOutcome::Gone(why) } else { after }
    }

    /// Gives up a peer that does not take its output. It must not take what it got for all there
    /// was.
    fn stalled(&mut self, scratch: &mut Scratch<M, H>) -> TurnOutcome {
        scratch.output.discard();
        self.socket.abort();
        TurnOutcome::Gone(Ended::SendTimeout)
    }
}

/// The way out of the pool, if there is room where it leads.
fn hand_off<Msg>(key: Key, mailboxes: &Mailboxes<Msg>) -> Option<PendingHandOff> {
    match mailboxes.take_outbound(key)?.downcast::<PendingHandOff>() {
        Ok(hand_off) => Some(*hand_off),
        Err(outbound) => {
            mailboxes.set_outbound(key, Some(outbound));
            None
        }
    }
}

impl<M: Drive<H>, H, S: Transport> Task for ConnectionTask<M, H, S> {
    type Scratch = Scratch<M, H>;
    const SPEC: &'static Spec = M::SPEC;

    #[inline]
    fn turn(&mut self, key: Key, ready: Readiness, scratch: &mut Scratch<M, H>) -> TurnOutcome {
        let link = self.link();
        link.set(ready);
        if link.only_reads() {
            self.fast_path(key, scratch)
        } else {
            self.full_turn(key, scratch, None)
        }
    }

    #[inline]
    fn due(&self) -> u64 {
        match &self.pending {
            Some(pending) => self.times.due().min(pending.send_by),
            None => self.times.due(),
        }
    }

    #[inline]
    fn state(&self) -> usize {
        self.machine.state()
    }

    fn cut_off(&self) {
        self.abort_if(0);
    }

    fn over(self, key: Key, why: Ended, scratch: &mut Scratch<M, H>) {
        // Before the peer can see it.
        scratch.counters.ended(why);
        let leaving = scratch.leaving.take();
        if leaving.is_none() {
            self.abort_if(0);
        }
        let closed = !Self::MAIL || caught(|| scratch.mailboxes.close(key)).is_some();
        let ended = self.link().ended();
        let Self { socket, handler, machine, pending, .. } = self;
        let dropped = caught(|| drop((handler, machine, pending)));
        let socket = leaving.is_some().then_some(socket);
        if !closed || dropped.is_none() {
            tracing::error!(%key, machine = M::SPEC.name, "a handler panicked while it was dropped");
        }
        if let Some(Leaving { hand_off, input, output }) = leaving {
            let registry = scratch.registry.as_deref();
            let socket = socket.zip(registry).and_then(|(socket, registry)| socket.free(registry));
            hand_off.leave(DetachedConnection { socket, input, output, ended });
        }
        scratch.pool_state.released();
    }

    fn recover(&mut self, scratch: &mut Scratch<M, H>) {
        scratch.leaving = None;
        self.abort_if(scratch.output.len());
        // Shared output may have an owner of the user's, whose drop may panic too.
        if caught(|| scratch.output.discard()).is_none() {
            scratch.output = SendBuffer::default();
        }
    }

    fn context(scratch: &mut Scratch<M, H>) -> &mut WorkerContext {
        &mut scratch.context
    }
}

use std::io;

use crate::connection::ConnectionTask;
use crate::connection::scratch::ConnectionScratch;
use crate::connection::turn::{TurnStart, is_cut_off};
use crate::machine::deadlines::sealed::DeadlineSet;
use crate::machine::input::DecodeProgress;
use crate::machine::limits::Limits;
use crate::machine::runner::{BUSY_LOOP_CALLS, Budget, InputOnlyRun, MachineRunner, StopReason};
use crate::net::readiness::Readiness;
use crate::net::ready_io::{ReadyIo, Received};
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::scheduler::task::TurnOutcome;
use crate::spec::Features;
use crate::{Cx, Drive, Ended, Input, Key, WaitSet};

/// The place of the input of a short turn.
#[derive(Clone, Copy)]
enum ShortInput<'a> {
    /// Before this index of the thread's buffer.
    Read(usize),
    /// Elsewhere.
    Given(&'a [u8]),
}

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Runs a turn of a connection that waits for input and has nothing pending, as nearly all turns do.
    /// Most of these read once, use all that they read, and send the whole answer. The others continue as
    /// a full turn.
    #[expect(clippy::inline_always, reason = "counted: it is the short turn of an event")]
    #[inline(always)]
    pub(super) fn fast_path(
        &mut self,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        let Self { socket, state, machine, .. } = self;
        let mut io = ReadyIo { socket, state };
        let end = match io.read(&mut scratch.buffer) {
            Ok(Received::Bytes(end)) => end,
            // A full turn would find the end, and not that the stream was cut off (E3).
            Ok(Received::End) if is_cut_off(&*io.socket, &*machine, false) => {
                return Self::broken(&io::ErrorKind::UnexpectedEof.into(), key, scratch);
            }
            Ok(Received::Nothing | Received::End) => {
                let start = TurnStart::new(&scratch.limits);
                return self.full_turn(key, scratch, start);
            }
            Err(error) => return Self::broken(&error, key, scratch),
        };
        self.use_input(ShortInput::Read(end), key, scratch)
    }

    /// Runs a turn of a connection that waits for input and has nothing pending, on bytes that have come by
    /// another way than the socket. Returns `None` if it is no such connection.
    #[inline]
    pub(crate) fn turn_on_input(
        &mut self,
        bytes: &[u8],
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> Option<TurnOutcome> {
        let takes_jobs = const { M::SPEC.uses(Features::JOBS) };
        if !self.state.is_idle_given_input(takes_jobs) || self.is_tick_due(scratch) {
            return None;
        }
        let fits = bytes.len() <= scratch.buffer.len();
        fits.then(|| self.use_input(ShortInput::Given(bytes), key, scratch))
    }

    /// Whether a message is all that a turn without events can find: the machine waits for input and has nothing
    /// pending, no deadline has passed, and the stream has nothing of its own to send.
    #[inline]
    pub(super) fn has_messages_alone(
        &self,
        readiness: Readiness,
        scratch: &ConnectionScratch<M, H>,
    ) -> bool {
        readiness == Readiness::NONE
            && self.state.is_idle_without_events()
            && self.deadlines.earliest() > scratch.context.now
            && !self.socket.has_unsent()
    }

    /// Runs a turn of a connection that [has messages alone](Self::has_messages_alone).
    #[inline]
    pub(super) fn turn_on_messages(
        &mut self,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        self.use_input(ShortInput::Given(&[]), key, scratch)
    }

    /// Runs the machine on the input, and sends what it has written.
    #[expect(clippy::inline_always, reason = "counted: it is the rest of a short turn")]
    #[inline(always)]
    fn use_input(
        &mut self,
        from: ShortInput<'_>,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        let Self { socket, state, machine, deadlines, handler, .. } = self;
        let mut io = ReadyIo { socket, state };
        let mut runner = MachineRunner { machine, deadlines };
        let Some(handler) = handler else { return TurnOutcome::Ended(Ended::Panicked) };
        let ConnectionScratch { buffer, output, environment, context, limits, .. } = &mut *scratch;
        let bytes = match from {
            ShortInput::Read(end) => &buffer[..end],
            ShortInput::Given(bytes) => bytes,
        };
        let end = bytes.len();
        let mut input = Input::resumed(bytes, DecodeProgress::default(), false);
        let mut cx = Cx::new(output, &*io.socket, environment, key, context);
        if const { M::SPEC.uses(Features::JOBS) } && end > 0 {
            io.state.set_heard(true);
        }
        cx.look_at::<M>(*io.state);
        let InputOnlyRun { waits, calls } =
            runner.run_input_only(handler, &mut input, &mut cx, limits);
        let (unread, messages) = (input.unread().len(), cx.messages_taken());
        if const { M::SPEC.uses(Features::JOBS) } {
            io.state.set_heard(cx.has_heard());
        }
        let wanted = input.wanted();
        let progress = input.into_progress();
        let must_keep = const { M::SPEC.uses(Features::DISCARD) } && progress.outlives_input();
        let waits_only = waits.is_some_and(|waits| waits.contains(WaitSet::READ))
            && unread == 0
            && !must_keep
            && !io.socket.has_unsent()
            && io.state.is_idle_without_events()
            && runner.deadline() > context.now
            && !context.draining;
        if waits_only && io.send_short(output) {
            return TurnOutcome::Wait;
        }
        let Limits { calls: most_calls, bytes, output: mark, .. } = *limits;
        let stopped = match waits {
            // Another run would find what this one has found.
            Some(waits) if waits.below() == 0 => Some(StopReason::Waiting(waits)),
            None if calls == most_calls => {
                let idle = unread == end && output.is_empty() && messages == 0;
                let is_loop = idle && most_calls >= BUSY_LOOP_CALLS;
                Some(if is_loop { StopReason::BusyLoop } else { StopReason::BudgetSpent })
            }
            _ => None,
        };
        let unread = match from {
            ShortInput::Read(end) => end - unread..end,
            ShortInput::Given(bytes) => {
                buffer[..unread].copy_from_slice(&bytes[end - unread..]);
                0..unread
            }
        };
        let start = TurnStart {
            unread,
            wanted,
            progress,
            budget: Budget::new(most_calls - calls, bytes.saturating_sub(end), mark),
            stopped,
            has_read: end > 0,
        };
        self.full_turn(key, scratch, start)
    }
}

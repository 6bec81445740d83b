use super::ConnectionTask;
use crate::connection::scratch::Scratch;
use crate::machine::input::DecodeProgress;
use crate::machine::limits::Limits;
use crate::machine::runner::{BUSY_LOOP_CALLS, Budget, MachineRunner, StopReason};
use crate::net::non_blocking::{Got, Link};
use crate::net::transport::Transport;
use crate::scheduler::task::TurnOutcome;
use crate::{Cx, Drive, Ended, Input, Key};

/// A turn that has read and run the machine.
pub(super) struct FastPathExit<P> {
    /// Where the unread bytes are in the thread's buffer.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) seen: DecodeProgress<P>,
    pub(super) budget: Budget,
    /// `None` if it goes on.
    pub(super) stopped: Option<StopReason>,
}

impl<M: Drive<H>, H, S: Transport> ConnectionTask<M, H, S> {
    /// A turn of a connection that waits for input and has nothing left from earlier. Most turns are
    /// such, and most of these read once, use up what they get, and send the whole answer. Where that
    /// is not so, the turn goes on as any other one does.
    #[inline]
    pub(super) fn fast_path(&mut self, key: Key, scratch: &mut Scratch<M, H>) -> TurnOutcome {
        let Self { socket, ready, machine, times, handler, .. } = self;
        let (link, mut runner) = (Link { socket, ready }, MachineRunner { machine, times });
        let Some(handler) = handler else { return self.full_turn(key, scratch, None) };
        let end = match link.read(&mut scratch.buffer) {
            Ok(Got::Bytes(end)) => end,
            Ok(Got::Nothing | Got::End) => return self.full_turn(key, scratch, None),
            Err(_) => return TurnOutcome::Gone(Ended::Reset),
        };
        let mut cx =
            Cx::new(&mut scratch.output, link.socket, &scratch.mailboxes, key, &scratch.context);
        let mut input = Input::resumed(&scratch.buffer[..end], DecodeProgress::default(), false);
        let (reads, calls) = runner.run_input_only(handler, &mut input, &mut cx, &scratch.bounds);
        let (rest, taken) = (input.rest().len(), cx.taken());
        let seen = input.into_seen();
        let over = reads
            && rest == 0
            && link.only_waits()
            && runner.due() > scratch.context.now
            && !scratch.context.draining;
        if over && link.sends(&mut scratch.output) {
            return TurnOutcome::Wait;
        }
        let Limits { calls: most, bytes, output: mark, .. } = scratch.bounds;
        let left = most - calls;
        let stopped = (left == 0).then(|| {
            let idle = rest == end && scratch.output.is_empty() && taken == 0;
            if idle && most >= BUSY_LOOP_CALLS {
                StopReason::BusyLoop
            } else {
                StopReason::BudgetSpent
            }
        });
        let budget = Budget { calls: left, bytes: bytes.saturating_sub(end), sent: 0, mark };
        self.full_turn(
            key,
            scratch,
            Some(FastPathExit { start: end - rest, end, seen, budget, stopped }),
        )
    }
}

use crate::connection::ConnectionTask;
use crate::connection::scratch::ConnectionScratch;
use crate::connection::turn::TurnStart;
use crate::machine::input::DecodeProgress;
use crate::machine::limits::Limits;
use crate::machine::runner::{BUSY_LOOP_CALLS, Budget, MachineRunner, StopReason};
use crate::net::ready_io::{ReadyIo, Received};
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::scheduler::task::TurnOutcome;
use crate::{Cx, Drive, Ended, Input, Key};

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// A turn of a connection that waits for input and has nothing pending. Nearly all turns are such,
    /// and most of these read once, use up what they read, and send the whole answer. The others go on
    /// as a full turn.
    #[inline]
    pub(super) fn fast_path(
        &mut self,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        let Self { io, state, machine, deadlines, handler, .. } = self;
        let mut socket = ReadyIo { io, state };
        let mut runner = MachineRunner { machine, deadlines };
        let Some(handler) = handler else { return TurnOutcome::Ended(Ended::Panicked) };
        let end = match socket.read(&mut scratch.buffer) {
            Ok(Received::Bytes(end)) => end,
            Ok(Received::Nothing | Received::End) => {
                let start = TurnStart::new(&scratch.limits);
                return self.full_turn(key, scratch, start);
            }
            Err(_) => return TurnOutcome::Ended(Ended::Reset),
        };
        let ConnectionScratch { buffer, output, mailboxes, context, limits, .. } = &mut *scratch;
        let mut input = Input::resumed(&buffer[..end], DecodeProgress::default(), false);
        let mut cx = Cx::new(output, &*socket.io, mailboxes, key, context);
        let (reads, calls) = runner.run_input_only(handler, &mut input, &mut cx, limits);
        let (unread, messages) = (input.unread().len(), cx.messages_taken());
        let progress = input.into_progress();
        let waits_only = reads
            && unread == 0
            && socket.state.only_waits()
            && runner.deadline() > context.now
            && !context.draining;
        if waits_only && socket.send_short(output) {
            return TurnOutcome::Wait;
        }
        let Limits { calls: most, bytes, output: mark, .. } = *limits;
        let stopped = (calls == most).then(|| {
            let idle = unread == end && output.is_empty() && messages == 0;
            if idle && most >= BUSY_LOOP_CALLS {
                StopReason::BusyLoop
            } else {
                StopReason::BudgetSpent
            }
        });
        let start = TurnStart {
            unread: (end - unread, end),
            progress,
            budget: Budget::new(most - calls, bytes.saturating_sub(end), mark),
            stopped,
            has_read: true,
        };
        self.full_turn(key, scratch, start)
    }
}

//! The turns of connections that read datagrams.

use std::io;

use crate::connection::ConnectionTask;
use crate::connection::goodbye::Goodbye;
use crate::connection::scratch::ConnectionScratch;
use crate::connection::turn::{Turn, TurnStart};
use crate::machine::runner::Started;
use crate::net::readiness::Readiness;
use crate::net::ready_io::{ReadyIo, Received};
use crate::net::stream_state::StreamState;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::scheduler::task::TurnOutcome;
use crate::spec::{Features, Wait};
use crate::{Drive, Ended, Key};

/// The most machines that a peer has in a turn, one after the other (X4).
const MACHINES: usize = 16;

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Runs a turn, and sends the output since its last read as a datagram.
    pub(super) fn turn_with_datagrams(
        &mut self,
        key: Key,
        readiness: Readiness,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        self.state.add(readiness);
        for _ in 0..MACHINES {
            let start = TurnStart::new(&scratch.limits);
            let outcome = self.full_turn(key, scratch, start);
            if let (Err(error), false) =
                (self.socket.end_datagram(), matches!(outcome, TurnOutcome::Ended(_)))
            {
                return Self::broken(&error, key, scratch);
            }
            if outcome != TurnOutcome::Ended(Ended::Done) || self.socket.leave() {
                return outcome;
            }
            let restarted = self.restart(scratch);
            if restarted != TurnOutcome::Again {
                return restarted;
            }
        }
        TurnOutcome::Again
    }

    /// Runs another machine for the datagrams that wait after the end of one (D3).
    fn restart(&mut self, scratch: &mut ConnectionScratch<M, H>) -> TurnOutcome {
        let (Some(seed), Some(make)) = (scratch.seed, &scratch.make) else {
            return TurnOutcome::Ended(Ended::Done);
        };
        if Self::HAS_MAILBOX {
            // Messages that are still posted to the session that has ended must not reach the next one.
            self.socket.renew();
            scratch.pool_state.interrupt();
            return TurnOutcome::Ended(Ended::Done);
        }
        let Ok(peer) = self.socket.peer() else { return TurnOutcome::Ended(Ended::Done) };
        let (now, settings) = (scratch.context.now, scratch.environment.settings.as_ref());
        let Started { machine, deadlines } = Started::new(seed(), now, settings);
        let handler = Some(make(peer));
        scratch.counters.ended(Ended::Done);
        scratch.counters.accepted();
        (self.machine, self.deadlines, self.handler) = (machine, deadlines, handler);
        (self.goodbye, self.state) = (Goodbye::NotSaid, StreamState::NEW);
        self.state.add(Readiness::READ);
        TurnOutcome::Again
    }

    /// Gives the last output to the stream, which sends it then. No peer is waited for.
    pub(super) fn close_session(
        &mut self,
        why: Ended,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        let mut io = ReadyIo { socket: &mut self.socket, state: &mut self.state };
        if io.flush(&mut scratch.output).is_err() || !scratch.output.is_empty() {
            scratch.output.discard();
        }
        TurnOutcome::Ended(why)
    }
}

impl<M: Drive<H>, H, S: ByteStream + PeerAddr> Turn<'_, M, H, S> {
    /// Whether the machine reads datagrams, and waits for a job.
    pub(super) fn takes_no_datagram(&self) -> bool {
        let reads = const { M::SPEC.uses(Features::DATAGRAMS) && M::SPEC.uses(Features::JOBS) };
        reads && matches!(M::SPEC.states[self.runner.machine.state()].waits, [Wait::Job, ..])
    }

    /// Drops the datagrams that have come while the machine waits for a job, so that the next job does not get
    /// them (D7).
    pub(super) fn drop_unasked(&mut self) -> io::Result<()> {
        while self.takes_no_datagram()
            && self.stream.io.state.is_readable()
            && self.budget.bytes > 0
        {
            self.has_read = true;
            self.flush()?;
            self.stream.io.socket.end_datagram()?;
            match self.stream.read()? {
                Received::Bytes(bytes) => {
                    self.stream.recv.leave(0);
                    self.stream.io.socket.drop_datagram();
                    self.budget.spend_bytes(bytes);
                }
                // It has had its share of this turn.
                _ if self.stream.io.state.is_readable() => self.budget.bytes = 0,
                _ => {}
            }
        }
        Ok(())
    }
}

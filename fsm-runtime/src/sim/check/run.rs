use std::any::Any;
use std::time::Duration;

use super::handshake::{HandshakeEnd, SimulatedHandshake};
use crate::net::readiness::Readiness;
use crate::sim::Session;
use crate::{Connection, Drive, Ended, Machine, Wait};

/// The number of completions in a row without input that counts as an endless loop.
const MAX_IDLE_CALLS: usize = 10_000;

/// The behaviour of a machine on an input: its completions, its output, and the state that it ends in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Recording {
    /// The completions that the input has caused.
    pub(super) calls: Vec<Call>,
    /// The output of these.
    pub(super) output: Vec<u8>,
    /// The state in which the input was used up.
    pub(super) state: Option<&'static str>,
    /// The end of the machine after the peer has then ended its stream.
    pub(super) ended: Option<Ended>,
    /// The messages that were taken, in their order.
    pub(super) heard: Vec<Heard>,
    /// A message or the time has moved the machine, so the run was not continued.
    pub(super) moved: bool,
}

/// One completion: the state, the range of the input that it used, the state after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) state: &'static str,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) next: Option<&'static str>,
}

/// A message that a handler was called with: the state, and the output of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) state: &'static str,
    pub(super) output: Vec<u8>,
}

/// A panic of a handler.
pub(super) type Panic = Box<dyn Any + Send>;

/// A machine that gets its input in pieces, with messages and pauses between them.
pub(super) struct Run<'a, M: Drive<H>, H> {
    pub(super) session: Session<M, H>,
    input: &'a [u8],
    /// The TLS handshake, until it is over.
    handshake: Option<SimulatedHandshake>,
    sent: usize,
    posted: usize,
    recording: Recording,
}

/// The observable state that a turn may change.
#[derive(Clone, Copy)]
struct Place {
    state: Option<&'static str>,
    used: usize,
    queued: usize,
}

impl<'a, M: Drive<H> + Machine<Seed = (), Kind = Connection>, H> Run<'a, M, H> {
    /// A machine with no input and with closed pools, one completion a turn.
    pub(super) fn new(handler: H, input: &'a [u8], handshake: Option<SimulatedHandshake>) -> Self {
        let mut session = Session::<M, H>::with_calls(handler, 1);
        session.close_pools();
        Self { session, input, handshake, sent: 0, posted: 0, recording: Recording::default() }
    }

    /// Sends the input up to byte `end`.
    #[track_caller]
    pub(super) fn send_to(&mut self, end: usize) {
        if let Some(SimulatedHandshake { at, end: how }) =
            self.handshake.filter(|begun| begun.at <= end)
        {
            self.handshake = None;
            self.feed_to(at);
            self.end_handshake(how);
            if how == HandshakeEnd::CutOff {
                return;
            }
        }
        self.feed_to(end);
    }

    #[track_caller]
    fn feed_to(&mut self, end: usize) {
        self.session.feed(&self.input[self.sent..end]);
        self.sent = end;
        self.settle(false);
    }

    /// Posts a message without giving the machine a turn.
    pub(super) fn post(&mut self, message: M::Message) {
        if self.session.put(message) {
            self.posted += 1;
        }
    }

    /// Lets time pass.
    #[track_caller]
    pub(super) fn pass(&mut self, time: Duration) {
        self.session.pass(time);
        self.settle(true);
    }

    /// Whether the machine has been moved by a message or by time.
    pub(super) fn is_moved(&self) -> bool {
        self.recording.moved
    }

    /// Ends the peer's stream and returns the recording, or the panic of a handler.
    ///
    /// # Errors
    ///
    /// When a handler has panicked.
    #[track_caller]
    pub(super) fn finish(mut self) -> Result<Recording, Panic> {
        self.recording.state = self.session.state();
        // Messages that the last state does not take may move the machine after the end.
        self.recording.moved |= self.session.queued_messages() > 0;
        if !self.recording.moved {
            self.session.end();
            self.recording.output.extend(self.session.receive());
            self.recording.ended = self.session.ended();
        }
        self.session.take_panic().map_or(Ok(self.recording), Err)
    }

    /// Gives the machine turns until it waits, or until a message or the time has moved it.
    #[track_caller]
    pub(super) fn settle(&mut self, by_time: bool) {
        let mut idle = 0;
        while !self.recording.moved {
            let before = self.place();
            let again = self.session.turn(Readiness::READ | Readiness::WRITE);
            let after = self.place();
            let Some(state) = before.state else { break };
            self.record(state, before, after, by_time, again);
            if !again {
                break;
            }
            idle = if before.used == after.used { idle + 1 } else { 0 };
            assert!(
                idle < MAX_IDLE_CALLS,
                "the machine `{}` loops in state `{state}` and takes no input",
                M::SPEC.name
            );
        }
        let queued = self.session.queued_messages();
        assert!(
            self.session.state().is_none() || self.recording.heard.len() + queued == self.posted,
            "of {} messages to `{}`, {} were heard and {queued} wait; a machine that posts to its own connection \
             cannot be checked with messages",
            self.posted,
            M::SPEC.name,
            self.recording.heard.len()
        );
    }

    fn place(&self) -> Place {
        Place {
            state: self.session.state(),
            used: self.sent - self.session.unused(),
            queued: self.session.queued_messages(),
        }
    }

    /// Records what a turn has done: it took a message, or the time caused it, or the input.
    fn record(
        &mut self,
        state: &'static str,
        before: Place,
        after: Place,
        by_time: bool,
        again: bool,
    ) {
        let (output, next) = (self.session.sent(), after.state);
        let is_moved = next != Some(state);
        // A machine at its end has no mailbox any more.
        if next.is_some() && after.queued < before.queued {
            self.recording.heard.push(Heard { state, output });
            self.recording.moved = is_moved;
        } else if by_time {
            self.recording.moved = is_moved;
        } else {
            if again || is_moved || before.used != after.used {
                let call = Call { state, from: before.used, to: after.used, next };
                self.recording.push::<M>(call);
            }
            self.recording.output.extend(output);
        }
    }
}

impl Recording {
    /// Appends a call, or joins it with the last one if both are of a state that takes any bytes.
    ///
    /// The end is no call, because the amount of input that is then unread depends on the cut.
    fn push<M: Machine>(&mut self, call: Call) {
        let state = M::SPEC.states.iter().find(|state| state.name == call.state);
        let has =
            |is_such: fn(&Wait) -> bool| state.is_some_and(|state| state.waits.iter().any(is_such));
        let stream = has(|wait| match wait {
            Wait::Read { shape, .. } => shape.is_stream(),
            Wait::Discard { .. } => true,
            _ => false,
        });
        match self.calls.last_mut() {
            _ if has(|wait| *wait == Wait::End) => {}
            Some(last) if stream && last.state == call.state && last.next == Some(call.state) => {
                last.to = call.to;
                last.next = call.next;
            }
            _ => self.calls.push(call),
        }
    }

    /// Whether a run that was not continued has the calls and the output with which `whole` begins.
    pub(super) fn begins(&self, whole: &Self) -> bool {
        let begins_call = |(found, call): (&Call, &Call)| {
            found == call
                || (found.state, found.from, found.next)
                    == (call.state, call.from, Some(call.state))
                    && found.to <= call.to
        };
        self.calls.len() <= whole.calls.len()
            && self.calls.iter().zip(&whole.calls).all(begins_call)
            && whole.output.starts_with(&self.output)
    }
}

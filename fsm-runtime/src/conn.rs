use std::time::Instant;

use crate::actor::{Actor, Pause};
use crate::inbox::Inbox;
use crate::input::Seen;
use crate::link::{Got, Link, Shut};
use crate::output::{Kept, Output};
use crate::transport::Transport;
use crate::unread::Unread;
use crate::{Cx, Drive, Ended, Input, Key};

/// What the turns of one thread share: nothing of it belongs to a connection between turns.
pub(crate) struct Env<Msg> {
    pub(crate) buffer: Box<[u8]>,
    pub(crate) output: Output,
    pub(crate) inbox: Inbox<Msg>,
    pub(crate) bounds: Bounds,
    /// Milliseconds since the port's start, and the same as the clock says it.
    pub(crate) now: u64,
    pub(crate) instant: Instant,
    pub(crate) draining: bool,
}

/// The bounds of a turn and of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Handler calls of a turn.
    pub(crate) calls: usize,
    /// Bytes read in a turn, from when on it reads no more.
    pub(crate) bytes: usize,
    /// Queued output from which on no handler is called.
    pub(crate) output: usize,
    /// Milliseconds for which a connection that is done tries to get rid of its output.
    pub(crate) linger: u64,
}

/// What a turn leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The connection waits for an event.
    Wait,
    /// It has more to do, but had its share.
    Again,
    /// It is over.
    Gone(Ended),
}

/// A connection: a socket, a machine and its handler.
///
/// Between turns it is just that and a few times. Input that waits for more and output that the
/// socket did not take are `cold`, in a box of its own that most connections do not have.
pub(crate) struct Conn<M: Drive<H>, H, S> {
    link: Link<S>,
    actor: Actor<M, H>,
    /// Why it ends, while its last output is on its way.
    ending: Option<Ended>,
    /// The time of this connection's entry in the port's timers.
    pub(crate) scheduled: u64,
    cold: Option<Box<Cold<M::Partial>>>,
}

struct Cold<P> {
    input: Vec<u8>,
    seen: Seen<P>,
    output: Kept,
}

impl<M: Drive<H>, H, S: Transport> Conn<M, H, S> {
    pub(crate) fn new(socket: S, handler: H, now: u64) -> Self {
        Self {
            link: Link::new(socket),
            actor: Actor::new(handler, now),
            ending: None,
            scheduled: u64::MAX,
            cold: None,
        }
    }

    #[inline]
    pub(crate) fn link(&self) -> &Link<S> {
        &self.link
    }

    pub(crate) fn socket_mut(&mut self) -> &mut S {
        self.link.socket_mut()
    }

    /// When it must have a turn at the latest.
    #[inline]
    pub(crate) fn due(&self) -> u64 {
        self.actor.due()
    }

    #[inline]
    pub(crate) fn state(&self) -> usize {
        self.actor.state()
    }

    /// The bytes that were read and not used.
    pub(crate) fn unread(&self) -> usize {
        self.cold.as_ref().map_or(0, |cold| cold.input.len())
    }

    /// Runs the machine until it waits for something that has not come, or has had its share.
    ///
    /// After `Gone` nothing of the connection is left in `env`; after a panic its output may be.
    #[inline]
    pub(crate) fn turn(&mut self, key: Key, env: &mut Env<M::Message>) -> After {
        let mut unread = Unread::new(&mut env.buffer);
        let mut seen = Seen::default();
        if let Some(cold) = self.cold.take() {
            unread.resume(cold.input);
            seen = cold.seen;
            env.output.resume(cold.output);
        }
        if let Some(why) = self.ending {
            return self.end(why, env);
        }
        let mut cx = Cx::new(&mut env.output, self.link.socket(), &env.inbox, key, env.instant);
        if self.actor.due() <= env.now {
            self.actor.lapse(env.now, &mut cx);
            seen = Seen::default();
        }
        let Bounds { mut calls, mut bytes, output: mark, .. } = env.bounds;
        let paused = loop {
            let mut input = Input::resumed(unread.bytes(), seen, self.link.ended());
            let paused = self.actor.run(&mut input, &mut cx, &self.link, env.now, mark, &mut calls);
            let rest = input.rest().len();
            seen = input.into_seen();
            unread.leave(rest);
            match paused {
                Ok(Pause::Input) if !self.link.readable() => break paused,
                Ok(Pause::Input) if bytes == 0 => break Ok(Pause::Share),
                Ok(Pause::Input) => {}
                _ => break paused,
            }
            match unread.read(&self.link) {
                Ok(Got::Bytes(n)) => bytes = bytes.saturating_sub(n),
                Ok(Got::End) => {}
                Ok(Got::Nothing) => break paused,
                Err(error) => break Err(error),
            }
        };
        match paused.and_then(|pause| self.link.flush(cx.output()).map(|()| pause)) {
            Ok(Pause::End) => self.end(Ended::Done, env),
            Ok(pause) => {
                let input = unread.keep();
                self.settle(pause, input, seen, env)
            }
            Err(_) => {
                env.output.discard();
                After::Gone(Ended::Reset)
            }
        }
    }

    /// Keeps what is left over, if anything is.
    #[inline]
    fn settle(
        &mut self,
        pause: Pause,
        input: Vec<u8>,
        seen: Seen<M::Partial>,
        env: &mut Env<M::Message>,
    ) -> After {
        if !input.is_empty() || env.output.len() > 0 {
            self.cold = Some(Box::new(Cold { input, seen, output: env.output.keep() }));
        } else if env.draining && pause != Pause::Share && M::SPEC.states[self.actor.state()].rest {
            return self.end(Ended::Drained, env);
        }
        if pause == Pause::Share { After::Again } else { After::Wait }
    }

    /// Sends what is left to send and ends the stream, for as long as the linger time allows.
    fn end(&mut self, why: Ended, env: &mut Env<M::Message>) -> After {
        if self.ending.is_none() {
            self.ending = Some(why);
            self.actor.expire_at(env.now.saturating_add(env.bounds.linger));
        } else if self.actor.due() <= env.now {
            env.output.discard();
            return After::Gone(why);
        }
        if self.link.flush(&mut env.output).is_err() {
            env.output.discard();
            return After::Gone(why);
        }
        if env.output.len() > 0 {
            let output = env.output.keep();
            self.cold = Some(Box::new(Cold { input: Vec::new(), seen: Seen::default(), output }));
            return After::Wait;
        }
        match self.link.shut(&mut env.buffer) {
            Shut::Whole => After::Gone(why),
            Shut::Listening => After::Wait,
            Shut::Hearing => After::Again,
        }
    }
}

use super::Conn;
use crate::actor::{Actor, Pause, SPIN, Share};
use crate::env::{Bounds, Env};
use crate::input::Seen;
use crate::link::{Got, Link};
use crate::task::After;
use crate::transport::Transport;
use crate::{Cx, Drive, Ended, Input, Key};

/// A turn that has read and run the machine.
pub(super) struct Midway<P> {
    /// Where the unread bytes are in the thread's buffer.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) seen: Seen<P>,
    pub(super) share: Share,
    /// `None` if it goes on.
    pub(super) paused: Option<Pause>,
}

impl<M: Drive<H>, H, S: Transport> Conn<M, H, S> {
    /// A turn of a connection that waits for input and has nothing left from earlier. Most turns are
    /// such, and most of these read once, use up what they get, and send the whole answer. Where that
    /// is not so, the turn goes on as any other one does.
    #[inline]
    pub(super) fn quick(&mut self, key: Key, env: &mut Env<M, H>) -> After {
        let Self { socket, ready, machine, times, handler, .. } = self;
        let (link, mut actor) = (Link { socket, ready }, Actor { machine, times });
        let Some(handler) = handler else { return self.whole(key, env, None) };
        let end = match link.read(&mut env.buffer) {
            Ok(Got::Bytes(end)) => end,
            Ok(Got::Nothing | Got::End) => return self.whole(key, env, None),
            Err(_) => return After::Gone(Ended::Reset),
        };
        let mut cx = Cx::new(&mut env.output, link.socket, &env.inbox, key, &env.desk);
        let mut input = Input::resumed(&env.buffer[..end], Seen::default(), false);
        let (reads, calls) = actor.rush(handler, &mut input, &mut cx, &env.bounds);
        let (rest, taken) = (input.rest().len(), cx.taken());
        let seen = input.into_seen();
        let over = reads
            && rest == 0
            && link.only_waits()
            && actor.due() > env.desk.now
            && !env.desk.draining;
        if over && link.sends(&mut env.output) {
            return After::Wait;
        }
        let Bounds { calls: most, bytes, output: mark, .. } = env.bounds;
        let left = most - calls;
        let paused = (left == 0).then(|| {
            let idle = rest == end && env.output.is_empty() && taken == 0;
            if idle && most >= SPIN { Pause::Spin } else { Pause::Share }
        });
        let share = Share { calls: left, bytes: bytes.saturating_sub(end), sent: 0, mark };
        self.whole(key, env, Some(Midway { start: end - rest, end, seen, share, paused }))
    }
}

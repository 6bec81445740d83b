use std::cell::Cell;
use std::io;

use mio::Registry;

use crate::actor::{Actor, Pause, Share};
use crate::arrivals::{Departure, Parcel};
use crate::cold::{Cold, Spares};
use crate::env::{Bounds, Env, Leaving};
use crate::inbox::Inbox;
use crate::input::Seen;
use crate::link::{self, Got, Link, Ready, Shut};
use crate::output::{Kept, Output};
use crate::task::{After, Desk, Task, caught};
use crate::times::sealed::Times;
use crate::transport::Transport;
use crate::unread::Unread;
use crate::{Cx, Drive, Ended, Input, Key, Machine, Peer, Spec, token};

mod quick;

use quick::Midway;

/// A connection: a socket, a machine and its handler.
///
/// Between turns it is just that and a few times. Input that waits for more and output that the
/// socket did not take are `cold`, in a box of its own that most connections do not have.
pub(crate) struct Conn<M: Machine, H, S> {
    socket: S,
    /// What is known of the socket.
    ready: Cell<Ready>,
    machine: M,
    times: M::Times,
    /// Its first turn makes it.
    handler: Option<H>,
    /// Why it ends, while its last output is on its way.
    ending: Option<Ended>,
    cold: Option<Box<Cold<M::Partial>>>,
}

impl<M: Drive<H>, H, S: Transport> Conn<M, H, S> {
    /// Whether it has a mailbox.
    pub(crate) const MAIL: bool = M::SPEC.has_mailbox();

    /// A connection with a handler.
    pub(crate) fn new(socket: S, (machine, times): (M, M::Times), handler: H) -> Self {
        let (ready, handler) = (Cell::new(link::NEW), Some(handler));
        Self { socket, ready, machine, times, handler, ending: None, cold: None }
    }

    /// A connection of `peer`, whose handler is made later, with what came from another pool.
    pub(crate) fn of(
        peer: Peer,
        socket: S,
        (machine, times): (M, M::Times),
        (input, output, ended): (Vec<u8>, Kept, bool),
        spares: &Spares<M::Partial>,
    ) -> Self {
        let ready = Cell::new(link::NEW);
        let newcomer = Some(peer);
        let cold = Some(spares.fill(Cold { input, output, newcomer, ..Cold::default() }));
        let conn = Self { socket, ready, machine, times, handler: None, ending: None, cold };
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
        inbox: &Inbox<M::Message>,
    ) -> io::Result<()> {
        if let Some(registry) = registry {
            self.socket.register(registry, token::from_key(key))?;
        }
        if Self::MAIL {
            inbox.open(key);
        }
        Ok(())
    }

    /// Before it is closed: if output is `lost` with it, the peer must not take what it got for all.
    fn abort_if(&self, lost: usize) {
        if lost > 0 || self.cold.as_ref().is_some_and(|cold| cold.output.len() > 0) {
            self.socket.abort();
        }
    }

    /// The bytes that were read and not used.
    pub(crate) fn unread(&self) -> usize {
        self.cold.as_ref().map_or(0, |cold| cold.input.len())
    }

    fn reset(env: &mut Env<M, H>) -> After {
        env.output.discard();
        After::Gone(Ended::Reset)
    }

    /// Runs the machine until it waits for something that has not come, or has had its share.
    ///
    /// After `Gone` nothing of the connection is left in `env`; after a panic its output may be.
    #[inline(never)]
    fn whole(
        &mut self,
        key: Key,
        env: &mut Env<M, H>,
        midway: Option<Midway<M::Partial>>,
    ) -> After {
        let Bounds { calls, bytes, output: mark, .. } = env.bounds;
        let mut unread = Unread::new(&mut env.buffer);
        let mut seen = Seen::default();
        let mut share = Share { calls, bytes, sent: 0, mark };
        let mut paused = None;
        let mut has_read = false;
        let mut stalled_by = u64::MAX;
        let mut overdue = false;
        if let Some(cold) = self.cold.take() {
            let cold = env.spares.empty(cold);
            unread.resume(cold.input);
            seen = cold.seen;
            stalled_by = cold.stalled_by;
            overdue = cold.overdue;
            env.output.resume(cold.output);
            if let Some(peer) = cold.newcomer {
                if let Err(error) = self.enter(key, env.registry.as_deref(), &env.inbox) {
                    tracing::warn!(%peer, %error, "a connection is lost");
                    self.abort_if(env.output.len());
                    return Self::reset(env);
                }
                if let Some(make) = &env.make {
                    // The user's code: it runs here and not where connections are accepted, so that
                    // nobody waits for it who could be served.
                    self.handler = Some(make(peer));
                }
            }
            if stalled_by <= env.desk.now {
                // A poll may tell of room late, when much of the socket's buffer is free again.
                self.link().set(Ready::WRITE);
            }
        }
        if let Some(why) = self.ending {
            return self.end(why, stalled_by, key, env);
        }
        let Self { socket, ready, machine, times, handler, .. } = self;
        let (link, mut actor) = (Link { socket, ready }, Actor { machine, times });
        let Some(handler) = handler else { return After::Gone(Ended::Panicked) };
        if let Some(midway) = midway {
            unread.resume_at(midway.start, midway.end);
            seen = midway.seen;
            share = midway.share;
            paused = midway.paused;
            has_read = true;
        }
        let mut cx = Cx::new(&mut env.output, link.socket, &env.inbox, key, &env.desk);
        let paused = Self::run(
            (&mut actor, handler, &link),
            (&mut unread, &mut seen),
            &mut cx,
            (env.desk.now, &mut overdue),
            &mut share,
            (paused, has_read),
        );
        let flushed = paused.and_then(|pause| {
            share.sent(link.flush(cx.output())?);
            Ok(pause)
        });
        match flushed {
            Ok(Pause::End) => self.end(Ended::Done, u64::MAX, key, env),
            Ok(Pause::Stalled) => self.stalled(env),
            Ok(Pause::Spin) => {
                self.abort_if(env.output.len());
                env.output.discard();
                After::Gone(Ended::Spun)
            }
            Ok(pause) => {
                if share.sent > 0 {
                    stalled_by = u64::MAX;
                }
                overdue &= env.output.len() >= mark;
                let input = unread.keep();
                if pause == Pause::HandOff {
                    if let Some(departure) = departure(key, &env.inbox) {
                        let output = env.output.keep();
                        env.leaving = Some(Leaving { departure, input, output });
                        return After::Gone(Ended::HandedOff);
                    }
                }
                let output = Kept::default();
                self.settle(
                    pause,
                    Cold { input, seen, output, stalled_by, overdue, newcomer: None },
                    key,
                    env,
                )
            }
            Err(_) => Self::reset(env),
        }
    }

    /// Runs the machine, reads, and takes the edges of times that have passed. `before` is what it came
    /// to when it was run before, and whether that was after a read.
    fn run(
        (actor, handler, link): (&mut Actor<'_, M>, &mut H, &Link<'_, S>),
        (unread, seen): (&mut Unread<'_>, &mut Seen<M::Partial>),
        cx: &mut Cx<'_, M::Message, M::Side>,
        (now, overdue): (u64, &mut bool),
        share: &mut Share,
        (mut before, mut has_read): (Option<Pause>, bool),
    ) -> io::Result<Pause> {
        loop {
            let pause = if let Some(pause) = before.take() {
                pause
            } else {
                let mut input = Input::resumed(unread.bytes(), std::mem::take(seen), link.ended());
                let paused = actor.run(handler, &mut input, cx, link, now, share);
                let rest = input.rest().len();
                *seen = input.into_seen();
                unread.leave(rest);
                paused?
            };
            let readable = pause == Pause::Input && link.readable();
            // What has come in time is taken before the edge of a time that has passed; but only
            // what one read gets, so that a peer that sends and sends does not put it off.
            if actor.due() <= now && (has_read || !readable) && pause != Pause::End {
                let stuck = cx.backlog() >= share.mark;
                if stuck && !actor.sleeps() {
                    // The edge may write. Once is well, but what deadlines write must not pile up.
                    if std::mem::replace(overdue, true) {
                        return Ok(Pause::Stalled);
                    }
                }
                actor.lapse(handler, now, stuck, cx);
                *seen = Seen::default();
                share.calls = share.calls.saturating_sub(1);
                if share.calls == 0 {
                    return Ok(Pause::Share);
                }
                continue;
            }
            match pause {
                Pause::Input if readable && share.bytes == 0 => return Ok(Pause::Share),
                Pause::Input if readable => {}
                Pause::Message if link.doubtful() => {
                    // The peer may be gone, and nobody would read to see it.
                    if unread.is_full() && link.hung_up() {
                        link.set_ended();
                        continue;
                    } else if unread.is_full() {
                        return Ok(pause);
                    }
                }
                Pause::Message | Pause::HandOff | Pause::Other if link.broken() => {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                _ => return Ok(pause),
            }
            has_read = true;
            match unread.read(link)? {
                Got::Bytes(n) => share.bytes = share.bytes.saturating_sub(n),
                Got::End => {}
                Got::Nothing if actor.due() <= now => {}
                Got::Nothing => return Ok(pause),
            }
        }
    }

    /// Keeps what is left over, if anything is.
    fn settle(
        &mut self,
        pause: Pause,
        mut rest: Cold<M::Partial>,
        key: Key,
        env: &mut Env<M, H>,
    ) -> After {
        let waits = !env.output.is_empty();
        if waits {
            rest.stalled_by = rest.stalled_by.min(env.desk.now.saturating_add(env.bounds.stall));
            if rest.stalled_by <= env.desk.now {
                return self.stalled(env);
            }
            rest.output = env.output.keep();
        }
        let rests = !waits && rest.input.is_empty();
        self.link().set_eager(rests && pause == Pause::Input);
        if !rests {
            self.cold = Some(env.spares.fill(rest));
        } else if env.desk.draining
            && pause != Pause::Share
            && M::SPEC.states[self.machine.state()].rest
        {
            return self.end(Ended::Drained, u64::MAX, key, env);
        }
        if pause == Pause::Share { After::Again } else { After::Wait }
    }

    /// Sends what is left to send and ends the stream, as long as the peer takes it.
    fn end(&mut self, why: Ended, stalled_by: u64, key: Key, env: &mut Env<M, H>) -> After {
        if self.ending.is_none() {
            self.ending = Some(why);
            self.link().set_eager(false);
            if Self::MAIL {
                // Nobody is there any more to take them.
                env.inbox.close(key);
            }
            self.times = M::Times::only(u64::MAX);
        }
        let lingers_until = env.desk.now.saturating_add(env.bounds.linger);
        let Ok(sent) = self.link().flush(&mut env.output) else {
            env.output.discard();
            return After::Gone(why);
        };
        if !env.output.is_empty() {
            let stalled_by = if sent > 0 { lingers_until } else { stalled_by.min(lingers_until) };
            if stalled_by <= env.desk.now {
                return self.stalled(env);
            }
            let output = env.output.keep();
            self.cold = Some(env.spares.fill(Cold { output, stalled_by, ..Cold::default() }));
            return After::Wait;
        }
        let after = match self.link().shut(&mut env.buffer) {
            Shut::Whole => return After::Gone(why),
            Shut::Listening => After::Wait,
            Shut::Hearing => After::Again,
        };
        if self.times.due() == u64::MAX {
            self.times = M::Times::only(lingers_until);
        }
        if self.times.due() <= env.desk.now { After::Gone(why) } else { after }
    }

    /// Gives up a peer that does not take its output. It must not take what it got for all there
    /// was.
    fn stalled(&mut self, env: &mut Env<M, H>) -> After {
        env.output.discard();
        self.socket.abort();
        After::Gone(Ended::Stalled)
    }
}

/// The way out of the pool, if there is room where it leads.
fn departure<Msg>(key: Key, inbox: &Inbox<Msg>) -> Option<Departure> {
    match inbox.take_away(key)?.downcast::<Departure>() {
        Ok(departure) => Some(*departure),
        Err(away) => {
            inbox.put_away(key, Some(away));
            None
        }
    }
}

impl<M: Drive<H>, H, S: Transport> Task for Conn<M, H, S> {
    type Env = Env<M, H>;
    const SPEC: &'static Spec = M::SPEC;

    #[inline]
    fn turn(&mut self, key: Key, ready: Ready, env: &mut Env<M, H>) -> After {
        let link = self.link();
        link.set(ready);
        if link.only_reads() { self.quick(key, env) } else { self.whole(key, env, None) }
    }

    #[inline]
    fn due(&self) -> u64 {
        match &self.cold {
            Some(cold) => self.times.due().min(cold.stalled_by),
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

    fn over(self, key: Key, why: Ended, env: &mut Env<M, H>) {
        // Before the peer can see it.
        env.control.counters.ended(why);
        let leaving = env.leaving.take();
        if leaving.is_none() {
            self.abort_if(0);
        }
        let closed = !Self::MAIL || caught(|| env.inbox.close(key)).is_some();
        let ended = self.link().ended();
        let Self { socket, handler, machine, cold, .. } = self;
        let dropped = caught(|| drop((handler, machine, cold)));
        let socket = leaving.is_some().then_some(socket);
        if !closed || dropped.is_none() {
            tracing::error!(%key, machine = M::SPEC.name, "a handler panicked while it was dropped");
        }
        if let Some(Leaving { departure, input, output }) = leaving {
            let registry = env.registry.as_deref();
            let socket = socket.zip(registry).and_then(|(socket, registry)| socket.free(registry));
            departure.leave(Parcel { socket, input, output, ended });
        }
        env.control.freed();
    }

    fn recover(&mut self, env: &mut Env<M, H>) {
        env.leaving = None;
        self.abort_if(env.output.len());
        // Shared output may have an owner of the user's, whose drop may panic too.
        if caught(|| env.output.discard()).is_none() {
            env.output = Output::default();
        }
    }

    fn desk(env: &mut Env<M, H>) -> &mut Desk {
        &mut env.desk
    }
}

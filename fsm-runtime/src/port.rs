use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use crate::actor::Actor;
use crate::conn::{After, Bounds, Conn, Env};
use crate::core::{Effect, Input, PortCore, Thread};
use crate::inbox::Inbox;
use crate::link::Ready;
use crate::output::Output;
use crate::stats::Counters;
use crate::timers::Timers;
use crate::transport::Transport;
use crate::{Drive, Ended, Key, Machine};

/// The only thread of a port.
const THREAD: Thread = 0;
/// Deadlines looked at between two polls: a storm of them must not keep others waiting (X6).
const EXPIRIES: usize = 1024;
/// The bytes that a thread reads at once.
const BUFFER: usize = 64 * 1024;

/// Connections of one machine, with their timers and mailboxes: all of a port but the poll.
///
/// Whoever drives it, a thread with a poll or a test with pipes and a clock of its own, repeats:
/// [`work`](Port::work), wait for events, [`at`](Port::at) the new time, [`event`](Port::event) for
/// each, [`polled`](Port::polled).
pub(crate) struct Port<M: Machine, H, S> {
    core: PortCore<Conn<M, H, S>>,
    timers: Timers,
    env: Env<M::Message>,
    counters: Arc<Counters>,
    /// A connection was closed since this was last asked.
    closed: bool,
}

impl<M: Drive<H>, H, S: Transport> Port<M, H, S> {
    pub(crate) fn new(bounds: Bounds, inbox: Inbox<M::Message>, counters: Arc<Counters>) -> Self {
        Self {
            core: PortCore::new(0, 1),
            timers: Timers::default(),
            env: Env {
                buffer: vec![0; BUFFER].into_boxed_slice(),
                output: Output::default(),
                inbox,
                bounds,
                now: 0,
                instant: Instant::now(),
                draining: false,
            },
            counters,
            closed: false,
        }
    }

    /// It is `now` milliseconds after the start of the port.
    pub(crate) fn at(&mut self, now: u64, instant: Instant) {
        self.env.now = now;
        self.env.instant = instant;
    }

    pub(crate) fn now(&self) -> u64 {
        self.env.now
    }

    /// Takes up a connection; `register` tells the poll its key.
    ///
    /// `make` is the user's code, and so is the start of the machine: a panic in them is the end of
    /// this connection alone.
    pub(crate) fn open(
        &mut self,
        socket: S,
        seed: M::Seed,
        make: impl FnOnce() -> H,
        register: impl FnOnce(&mut S, Key) -> io::Result<()>,
    ) -> io::Result<Key> {
        let now = self.env.now;
        self.counters.accepted();
        let Some(actor) = caught(|| Actor::new(seed, make(), now)) else {
            tracing::error!(machine = M::SPEC.name, "making a handler panicked");
            self.counters.ended(Ended::Panicked);
            return Err(io::Error::other("making a handler panicked"));
        };
        let key = self.core.open(Conn::new(socket, actor));
        if M::SPEC.messages {
            self.env.inbox.open(key);
        }
        let registered = match self.core.get_mut(key) {
            Some(conn) => register(conn.socket_mut(), key),
            None => Ok(()),
        };
        if let Err(error) = registered {
            self.close(key, Ended::Reset);
            return Err(error);
        }
        if self.env.draining {
            // It was in the backlog when the drain began: a request that has come with it is
            // answered.
            self.ready(key, Ready::READ);
        }
        self.core.on(Input::Post(key));
        Ok(key)
    }

    /// The poll says that the connection may be ready.
    #[inline]
    pub(crate) fn event(&mut self, key: Key, ready: Ready) {
        self.ready(key, ready);
        if self.core.on(Input::Event(key)) == Effect::Stale {
            self.counters.stale();
        }
    }

    #[inline]
    fn ready(&mut self, key: Key, ready: Ready) {
        if let Some(conn) = self.core.get_mut(key) {
            conn.link().set(ready);
        }
    }

    /// All events of the poll have been told.
    #[inline]
    pub(crate) fn polled(&mut self) {
        self.messages();
        self.expire();
        self.core.on(Input::Polled(THREAD));
    }

    /// Runs what is ready; says whether the poll that must come next may sleep. `clock` gives the
    /// time if it has moved since it last did.
    #[inline]
    pub(crate) fn work(&mut self, mut clock: impl FnMut() -> Option<(u64, Instant)>) -> bool {
        loop {
            match self.core.on(Input::Take(THREAD)) {
                Effect::Run(_, key) => {
                    if let Some((now, instant)) = clock() {
                        self.at(now, instant);
                    }
                    self.turn(key);
                }
                Effect::Poll { wait, .. } => return wait,
                _ => return false,
            }
        }
    }

    /// When the next deadline may pass, in milliseconds since the start.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.timers.next()
    }

    #[inline]
    fn turn(&mut self, key: Key) {
        let Some(conn) = self.core.get_mut(key) else { return };
        let env = &mut self.env;
        let after = caught(|| conn.turn(key, env)).unwrap_or_else(|| {
            conn.cut_off(env.output.len());
            // Shared output may have an owner of the user's, whose drop may panic too.
            if caught(|| env.output.discard()).is_none() {
                env.output = Output::default();
            }
            After::Gone(Ended::Panicked)
        });
        if let After::Gone(why) = after {
            let state = M::SPEC.states[conn.state()].name;
            if matches!(why, Ended::Panicked | Ended::Spun) {
                tracing::error!(%key, machine = M::SPEC.name, state, "a handler has failed: {why}");
            }
            self.close(key, why);
        } else {
            let due = conn.due();
            if due < conn.scheduled {
                let overtaken = conn.scheduled != u64::MAX;
                conn.scheduled = due;
                self.timers.insert(due, key);
                if overtaken {
                    self.made_stale();
                }
            }
        }
        self.core.on(Input::Done { key, again: after == After::Again });
    }

    fn close(&mut self, key: Key, why: Ended) {
        let Some(conn) = self.core.close(key) else { return };
        tracing::trace!(%key, %why, state = M::SPEC.states[conn.state()].name, "connection ends");
        conn.cut_off(0);
        self.counters.ended(why);
        self.closed = true;
        if conn.scheduled != u64::MAX {
            self.made_stale();
        }
        let dropped = caught(|| {
            if M::SPEC.messages {
                self.env.inbox.close(key);
            }
        });
        if dropped.and(caught(|| drop(conn))).is_none() {
            tracing::error!(%key, machine = M::SPEC.name, "a handler panicked while it was dropped");
        }
    }

    /// An entry of the timers means nothing any more.
    fn made_stale(&mut self) {
        let core = &self.core;
        self.timers.made_stale(|at, key| core.get(key).is_some_and(|conn| conn.scheduled == at));
    }

    /// Gives a turn to the connections whose time has come.
    fn expire(&mut self) {
        for _ in 0..EXPIRIES {
            let Some((at, key)) = self.timers.pop(self.env.now) else { return };
            match self.core.get_mut(key) {
                Some(conn) if conn.scheduled == at => {
                    let due = conn.due();
                    if due <= self.env.now {
                        conn.scheduled = u64::MAX;
                        self.core.on(Input::Event(key));
                    } else {
                        // It was put off since; `NEVER` never comes up.
                        conn.scheduled = due;
                        if due != u64::MAX {
                            self.timers.insert(due, key);
                        }
                    }
                }
                _ => self.timers.met_stale(),
            }
        }
    }

    /// Gives a turn to the connections that have got messages.
    fn messages(&mut self) {
        if M::SPEC.messages {
            for key in self.env.inbox.ready() {
                self.core.on(Input::Event(key));
            }
        }
    }

    /// From now on connections at rest are closed, and others when they come to rest (X11).
    pub(crate) fn drain(&mut self) {
        self.env.draining = true;
        let keys: Vec<Key> = self.core.keys().collect();
        for key in keys {
            // A request that has arrived is answered: look once more before closing.
            self.event(key, Ready::READ);
        }
    }

    /// Closes all connections, whatever they are doing.
    pub(crate) fn close_all(&mut self) {
        let keys: Vec<Key> = self.core.keys().collect();
        for key in keys {
            self.close(key, Ended::Closed);
        }
        self.core.on(Input::Close);
    }

    /// Whether connections were closed since the last call.
    pub(crate) fn take_closed(&mut self) -> bool {
        std::mem::take(&mut self.closed)
    }

    /// The number of connections.
    pub(crate) fn len(&self) -> usize {
        self.core.len()
    }

    pub(crate) fn conn(&self, key: Key) -> Option<&Conn<M, H, S>> {
        self.core.get(key)
    }

    pub(crate) fn inbox(&self) -> &Inbox<M::Message> {
        &self.env.inbox
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// What the user's code returns; `None` if it panics. What it panics with is not dropped: that
/// could panic as well.
fn caught<T>(code: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(code)).map_err(std::mem::forget).ok()
}

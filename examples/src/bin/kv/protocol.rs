//! The protocol: the states of a client's connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fsm_runtime::Peer;
use fsm_runtime::prelude::*;

use crate::command::{Flow, Session, execute};
use crate::event::{Event, Post};
use crate::reply::Out;
use crate::request::{Decoder, Error, Request};
use crate::settings::Settings;
use crate::store::Store;

/// The log names a possible attack at most this often.
const WARN_AGAIN: Duration = Duration::from_secs(60);

/// The context of the handlers.
type Context<'a> = Cx<'a, Event, Settings>;

/// A Redis client's connection.
#[state_machine(start = Arriving, message = Event, settings = Settings, eof => Leaving)]
pub(crate) enum Connection {
    /// Tells the registry the key of the connection, so that others can post to it.
    #[run]
    #[to(Command | Closed)]
    Arriving,

    /// Between two commands: waits for the next one. A client that sends none for the time of `timeout` is
    /// disconnected. A drain closes the connection here, because no command is in progress.
    #[read(
        frame = Decoder,
        max = 1GiB,
        idle = settings.idle() <= 36500d => Closed,
        limit => TooBig,
        refused => Refused,
    )]
    #[message]
    #[to(Command | Leaving | Closed)]
    #[rest]
    Command,

    /// Answers input that is no command, and closes, because the next command has no known start.
    #[run]
    #[to(Leaving)]
    Refused {
        #[error]
        why: Error,
    },

    /// Answers a command of more than 1 GiB.
    #[run]
    #[to(Leaving)]
    TooBig,

    /// Waits until the last answer is sent.
    #[flush(within = 5s => Closed)]
    #[to(Closed)]
    Leaving,

    /// The connection is over.
    #[end]
    Closed,
}

/// What the connections share, and the clock that expires keys.
pub(crate) struct Server {
    shared: Mutex<Shared>,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
}

struct Shared {
    store: Store,
    /// The time of the last command on the clock of the pool, and in milliseconds since the Unix epoch.
    time: Option<(Instant, i64)>,
    /// When the log last named a possible attack.
    warned: Option<Instant>,
}

impl Shared {
    /// Whether the log may name a possible attack again.
    fn may_warn(&mut self, now: Instant) -> bool {
        let may = self.warned.is_none_or(|at| now.duration_since(at) > WARN_AGAIN);
        if may {
            self.warned = Some(now);
        }
        may
    }
}

impl Server {
    /// A server with the clock of the system.
    pub(crate) fn new(store: Store) -> Self {
        Self::with_clock(store, SystemTime::now)
    }

    /// A server with a clock, which may be set back and forward.
    pub(crate) fn with_clock(
        mut store: Store,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        store.started = unix_millis(clock());
        let shared = Shared { store, time: None, warned: None };
        Self { shared: Mutex::new(shared), clock: Box::new(clock) }
    }

    /// The memory in use.
    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.shared().store.used
    }

    /// Whether no client watches a key.
    #[cfg(test)]
    pub(crate) fn watches_nothing(&self) -> bool {
        self.shared().store.watches.is_empty()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the Unix epoch; negative before it. `now` is the time on the clock of the pool.
    ///
    /// This reads the clock of the system again whenever that of the pool has moved, because the system's
    /// may be set at any time and expiry times follow it.
    fn unix_time(&self, shared: &mut Shared, now: Instant) -> i64 {
        match shared.time {
            Some((read, time)) if read == now => time,
            _ => {
                let time = unix_millis((self.clock)());
                shared.time = Some((now, time));
                time
            }
        }
    }
}

fn unix_millis(time: SystemTime) -> i64 {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(error) => -millis(error.duration()),
    }
}

/// The state of one connection.
pub(crate) struct Client {
    server: Arc<Server>,
    session: Session,
}

impl Client {
    /// A client in memory.
    #[cfg(test)]
    pub(crate) fn new(server: &Arc<Server>) -> Self {
        Self::at(server, Peer::Memory)
    }

    /// The client at an address.
    pub(crate) fn at(server: &Arc<Server>, peer: Peer) -> Self {
        let now = unix_millis((server.clock)());
        let session = Session::new(&mut server.shared().store, peer, now);
        Self { server: Arc::clone(server), session }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.session.end(&mut self.server.shared().store);
    }
}

fn warn_of_attack(cx: &Context<'_>) {
    let peer = cx.peer().map_or_else(|error| error.to_string(), |peer| peer.to_string());
    tracing::warn!(
        %peer,
        "possible attack: a client sent `POST` or `Host:`, as a browser does for a web page; its \
         connection is closed"
    );
}

/// The state that follows a command or a message.
enum Next {
    Command,
    Leaving,
    Closed,
}

impl From<Next> for connection::AfterCommand {
    fn from(next: Next) -> Self {
        match next {
            Next::Command => Self::Command,
            Next::Leaving => Self::Leaving,
            Next::Closed => Self::Closed,
        }
    }
}

impl Client {
    /// Runs a command, and posts what it tells others when the store is free for them.
    fn answer(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Next {
        let mut shared = self.server.shared();
        let now = self.server.unix_time(&mut shared, cx.now());
        let flow = execute(&mut shared.store, &mut self.session, request, now, cx);
        let warns = flow == Flow::Attack && shared.may_warn(cx.now());
        let posts = std::mem::take(&mut shared.store.posts);
        drop(shared);
        for Post { to, event } in posts {
            // A connection that is gone, or has a thousand messages to take, needs no more of them.
            let _ = cx.post(to, event);
        }
        if warns {
            warn_of_attack(cx);
        }
        match flow {
            Flow::Next => Next::Command,
            Flow::Quit | Flow::Attack => Next::Leaving,
        }
    }

    /// Does what another connection has posted.
    fn hear(&mut self, event: &Event) -> Next {
        match event {
            Event::Changed if self.is_killed() => Next::Closed,
            Event::Changed => Next::Command,
        }
    }

    fn is_killed(&self) -> bool {
        self.server.shared().store.clients.is_killed(self.session.place)
    }
}

impl connection::Handler for Client {
    fn arriving(&mut self, cx: &mut Context<'_>) -> connection::AfterArriving {
        self.server.shared().store.clients.entry(self.session.place).key = Some(cx.key());
        if self.is_killed() {
            return connection::AfterArriving::Closed;
        }
        connection::AfterArriving::Command
    }

    fn command(&mut self, request: Request<'_>, cx: &mut Context<'_>) -> connection::AfterCommand {
        self.answer(&request, cx).into()
    }

    fn command_message(&mut self, event: Event, _: &mut Context<'_>) -> connection::AfterCommand {
        self.hear(&event).into()
    }

    fn refused(&mut self, why: &mut Error, cx: &mut Context<'_>) -> connection::AfterRefused {
        cx.error(&format!("ERR {why}"));
        connection::AfterRefused::Leaving
    }

    fn too_big(&mut self, cx: &mut Context<'_>) -> connection::AfterTooBig {
        cx.error("ERR Protocol error: the command is larger than 1 GiB");
        connection::AfterTooBig::Leaving
    }
}

#[cfg(test)]
mod tests;

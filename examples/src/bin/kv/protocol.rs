//! The protocol: the states of a client's connection.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use fsm_runtime::Peer;
use fsm_runtime::prelude::*;

use crate::command::{Flow, Session, execute};
use crate::event::{Event, Post};
use crate::reply::{Out, Replies};
use crate::request::{Decoder, Error, Later, Request};
use crate::settings::Settings;
use crate::shared::Server;

/// The context of the handlers.
type Context<'a> = Cx<'a, Event, Settings>;

/// A Redis client's connection.
#[state_machine(start = Arriving, message = Event, settings = Settings, moves, eof => Leaving)]
pub(crate) enum Connection {
    /// Tells the registry the key of the connection, so that others can post to it.
    #[run]
    #[to(Command | Closed)]
    Arriving,

    /// Between two commands: waits for the next one. A client that sends none for the time of `timeout` is
    /// disconnected. A drain closes the connection here, because no command is in progress, and so does a
    /// newcomer that finds all places taken.
    #[read(
        frame = Decoder,
        max = 1GiB,
        idle = settings.idle() <= 36500d => Closed,
        limit => TooBig,
        refused => Refused,
    )]
    #[message]
    #[to(Command | Subscribed | Blocked | Leaving | Closed)]
    #[rest]
    Command,

    /// The client hears channels. It waits for a command, too, but as long as it likes.
    #[read(
        frame = Decoder,
        max = 1GiB,
        within = never,
        limit => TooBig,
        refused => Refused,
    )]
    #[message]
    #[to(Command | Subscribed | Lagging | Blocked | Leaving | Closed)]
    #[rest(keep)]
    Subscribed,

    /// A subscriber does not read its messages as fast as they come. They wait in its mailbox until it has
    /// read some, or until they are so many that the connection ends.
    #[writable(below = 16KiB, within = 1s => Checking)]
    #[to(Subscribed | Lagging)]
    Lagging,

    /// Looks, once a second, whether a subscriber that lags is too slow.
    #[run]
    #[to(Lagging | Closed)]
    Checking,

    /// The client waits for an element of a list or a sorted set. A message says that it has one. Further
    /// commands are read, so that the end of the stream behind them is noticed, but they run later.
    #[read(
        frame = Later,
        max = 1GiB,
        within = *wait <= 36500d => TimedOut,
        limit => TooBig,
        eof => Abandoned,
    )]
    #[message]
    #[to(Command | Subscribed | Blocked | Closed)]
    #[rest(keep)]
    Blocked { wait: Duration },

    /// Answers that there was nothing in time, unless an element came in the last moment.
    #[run]
    #[to(Command | Subscribed)]
    TimedOut,

    /// Gives the place in the queue up, because the client has left.
    #[run]
    #[to(Leaving)]
    Abandoned,

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

/// The state of one connection.
pub(crate) struct Client {
    pub(crate) server: Arc<Server>,
    pub(crate) session: Session,
}

impl Client {
    /// A client in memory.
    #[cfg(test)]
    pub(crate) fn new(server: &Arc<Server>) -> Self {
        Self::at(server, Peer::Memory)
    }

    /// The client at an address.
    pub(crate) fn at(server: &Arc<Server>, peer: Peer) -> Self {
        let now = server.now();
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

fn warn_of_slowness(cx: &Context<'_>) {
    let peer = cx.peer().map_or_else(|error| error.to_string(), |peer| peer.to_string());
    tracing::warn!(
        %peer,
        "a subscriber reads more slowly than others publish, and is above \
         `client-output-buffer-limit`; its connection is closed"
    );
}

/// The state that follows a command or a message.
enum Next {
    Command,
    Subscribed,
    Lagging,
    Blocked(Duration),
    Leaving,
    Closed,
}

impl From<Next> for connection::AfterCommand {
    fn from(next: Next) -> Self {
        match next {
            Next::Command => Self::Command,
            Next::Subscribed | Next::Lagging => Self::Subscribed,
            Next::Blocked(wait) => Self::Blocked { wait },
            Next::Leaving => Self::Leaving,
            Next::Closed => Self::Closed,
        }
    }
}

impl From<Next> for connection::AfterSubscribed {
    fn from(next: Next) -> Self {
        match next {
            Next::Command => Self::Command,
            Next::Subscribed => Self::Subscribed,
            Next::Lagging => Self::Lagging,
            Next::Blocked(wait) => Self::Blocked { wait },
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
            if let Err(TrySendError::Full(event)) = cx.post(to, event) {
                event.found_no_room();
            }
        }
        if warns {
            warn_of_attack(cx);
        }
        match flow {
            Flow::Next if self.server.grace.is_over(cx.draining(), cx.now()) => Next::Leaving,
            Flow::Next => self.at_rest(),
            Flow::Wait(time) => Next::Blocked(time),
            Flow::Quit | Flow::Attack => Next::Leaving,
        }
    }

    /// The state between two commands.
    fn at_rest(&self) -> Next {
        if self.session.subscriber.is_some() { Next::Subscribed } else { Next::Command }
    }

    /// Does what another connection has posted.
    fn hear(&mut self, event: Event, cx: &mut Context<'_>) -> Next {
        if event.may_end() && self.must_end(cx) {
            return Next::Closed;
        }
        if let Event::Published { text, backlog } = event {
            let resp3 = self.session.resp3;
            match &mut self.session.subscriber {
                Some(subscriber) if subscriber.hears(&text) => {
                    subscriber.begin(&text, resp3, cx);
                    if !subscriber.send(cx) {
                        return Next::Lagging;
                    }
                }
                _ => backlog.remove(text.len()),
            }
        }
        self.at_rest()
    }

    /// Replies to the command that waits, if its wait is over, and gives it up otherwise if `in_time` is
    /// false. Returns whether it has replied.
    fn end_wait(&mut self, in_time: bool, cx: &mut Context<'_>) -> bool {
        let mut shared = self.server.shared();
        let reply = shared.store.take_reply(self.session.place);
        if reply.is_none() && !in_time {
            shared.store.give_up_wait(self.session.place);
        }
        drop(shared);
        self.session.is_blocked = reply.is_none() && in_time;
        cx.write(reply.as_deref().unwrap_or_default());
        reply.is_some()
    }

    /// Whether the connection was killed, or hears more than it reads. It hears and gets nothing more then, although
    /// it is there until its peer has taken what is queued, or does not do so.
    fn must_end(&mut self, cx: &Context<'_>) -> bool {
        let mut shared = self.server.shared();
        let now = self.server.unix_time(&mut shared, cx.now());
        let store = &mut shared.store;
        let subscriber = self.session.subscriber.as_ref();
        let is_slow =
            subscriber.is_some_and(|one| !one.backlog.keeps_up(&store.channels.limits, now));
        let must_end = is_slow || store.clients.is_killed(self.session.place);
        if must_end {
            self.session.withdraw(store);
        }
        drop(shared);
        if is_slow {
            warn_of_slowness(cx);
        }
        must_end
    }
}

impl connection::Handler for Client {
    fn arriving(&mut self, cx: &mut Context<'_>) -> connection::AfterArriving {
        self.server.shared().store.clients.entry(self.session.place).key = Some(cx.key());
        if self.must_end(cx) {
            return connection::AfterArriving::Closed;
        }
        connection::AfterArriving::Command
    }

    fn command(&mut self, request: Request<'_>, cx: &mut Context<'_>) -> connection::AfterCommand {
        self.answer(&request, cx).into()
    }

    fn command_message(&mut self, event: Event, cx: &mut Context<'_>) -> connection::AfterCommand {
        self.hear(event, cx).into()
    }

    fn subscribed(
        &mut self,
        request: Request<'_>,
        cx: &mut Context<'_>,
    ) -> connection::AfterSubscribed {
        self.answer(&request, cx).into()
    }

    fn subscribed_message(
        &mut self,
        event: Event,
        cx: &mut Context<'_>,
    ) -> connection::AfterSubscribed {
        self.hear(event, cx).into()
    }

    fn lagging(&mut self, cx: &mut Context<'_>) -> connection::AfterLagging {
        let has_room = self.session.subscriber.as_mut().is_none_or(|one| one.send(cx));
        if has_room {
            connection::AfterLagging::Subscribed
        } else {
            connection::AfterLagging::Lagging
        }
    }

    fn checking(&mut self, cx: &mut Context<'_>) -> connection::AfterChecking {
        if self.must_end(cx) {
            connection::AfterChecking::Closed
        } else {
            connection::AfterChecking::Lagging
        }
    }

    fn blocked(
        &mut self,
        _: &mut Duration,
        never: Infallible,
        _: &mut Context<'_>,
    ) -> connection::AfterBlocked {
        match never {}
    }

    fn blocked_message(
        &mut self,
        _: &mut Duration,
        event: Event,
        cx: &mut Context<'_>,
    ) -> connection::AfterBlocked {
        if let Next::Closed = self.hear(event, cx) {
            return connection::AfterBlocked::Closed;
        }
        if let Some(subscriber) = &mut self.session.subscriber {
            subscriber.finish(cx);
        }
        if !self.end_wait(true, cx) {
            connection::AfterBlocked::Blocked
        } else if self.session.subscriber.is_some() {
            connection::AfterBlocked::Subscribed
        } else {
            connection::AfterBlocked::Command
        }
    }

    fn timed_out(&mut self, cx: &mut Context<'_>) -> connection::AfterTimedOut {
        if !self.end_wait(false, cx) {
            Replies::new(cx, self.session.resp3).null_array();
        }
        if self.session.subscriber.is_some() {
            connection::AfterTimedOut::Subscribed
        } else {
            connection::AfterTimedOut::Command
        }
    }

    fn abandoned(&mut self, cx: &mut Context<'_>) -> connection::AfterAbandoned {
        self.end_wait(false, cx);
        connection::AfterAbandoned::Leaving
    }

    fn refused(&mut self, why: &mut Error, cx: &mut Context<'_>) -> connection::AfterRefused {
        cx.error(&format!("ERR {why}"));
        connection::AfterRefused::Leaving
    }

    fn too_big(&mut self, cx: &mut Context<'_>) -> connection::AfterTooBig {
        self.end_wait(false, cx);
        cx.error("ERR Protocol error: the command is larger than 1 GiB");
        connection::AfterTooBig::Leaving
    }
}

#[cfg(test)]
mod tests;

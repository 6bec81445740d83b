//! The admin pool: connections that only wait for events of the server.

use std::sync::Arc;
use std::time::SystemTime;

use fsm_runtime::prelude::*;
use fsm_runtime::{Moves, MovesHandler};

use crate::feed::{Feed, Subscription};
use crate::http::{Response, Status};
use crate::settings::Settings;

/// The context of the handlers.
pub(crate) type EventsCx<'a> = Cx<'a, Arc<str>, Settings>;

/// A client that receives an event for each document filed or deleted, as server-sent events. The
/// front pool hands its connection over, and it stays here.
#[state_machine(start = Open, message = Arc<str>, settings = Settings, moves, eof => Gone)]
pub(crate) enum Events {
    /// Begins the stream of events.
    #[run]
    #[to(Watching)]
    Open,

    /// Waits for an event, and sends a comment now and then, because proxies close connections that stay silent.
    /// It reads, so that it notices a client that leaves, also one that has sent something before.
    #[read(some, max = 4KiB, within = never)]
    #[message]
    #[tick(settings.keep_alive <= 1d)]
    #[to(Watching)]
    #[rest(drain => Goodbye)]
    Watching,

    /// Says that the server shuts down, and when to come back.
    #[run]
    #[to(Gone)]
    Goodbye,

    #[end]
    Gone,
}

/// The client's state: its subscription to the feed.
pub(crate) struct Subscriber {
    feed: Arc<Feed>,
    subscription: Option<Subscription>,
    /// Where the subscription goes on that has come from another process.
    position: (i64, u64),
}

impl Subscriber {
    pub(crate) fn new(feed: &Arc<Feed>) -> Self {
        Self { feed: Arc::clone(feed), subscription: None, position: (0, 0) }
    }

    fn position(&self) -> (i64, u64) {
        self.subscription.as_ref().map_or(self.position, Subscription::position)
    }
}

/// A subscriber goes on in a new process of the server with the event after the last one that it was told of.
impl MovesHandler for Subscriber {
    fn pack(&self, into: &mut Vec<u8>) {
        self.position().pack(into);
    }

    fn unpack(&mut self, from: &mut &[u8]) -> Option<()> {
        self.position = Moves::unpack(from)?;
        Some(())
    }

    fn moved(&mut self, key: Key) {
        let (heard, missed) = self.position();
        self.subscription = Some(self.feed.resume(key, heard, missed));
    }
}

/// The head of the response, whose body are the events.
pub(crate) fn response() -> Response {
    Response::new(Status::Ok)
        .with("Content-Type", "text/event-stream")
        .with("Cache-Control", "no-store")
}

impl events::Handler for Subscriber {
    fn open(&mut self, cx: &mut EventsCx<'_>) -> events::AfterOpen {
        // Writing to `cx` never fails.
        let _ = response().open(cx, SystemTime::now());
        cx.write(b"retry: 1000\n\n");
        self.subscription = Some(self.feed.subscribe(cx.key()));
        events::AfterOpen::Watching
    }

    /// Drops the bytes, because no request can follow on this connection.
    fn watching(&mut self, _bytes: &[u8], _cx: &mut EventsCx<'_>) -> events::AfterWatching {
        events::AfterWatching::Watching
    }

    fn watching_message(
        &mut self,
        event: Arc<str>,
        cx: &mut EventsCx<'_>,
    ) -> events::AfterWatching {
        let missed = self.subscription.as_ref().map_or(0, Subscription::missed);
        if missed > 0 {
            writeln!(cx, "event: missed\ndata: {missed}\n");
        }
        cx.write(event.as_bytes());
        events::AfterWatching::Watching
    }

    fn watching_tick(&mut self, cx: &mut EventsCx<'_>) -> events::AfterWatching {
        cx.write(b":\n\n");
        events::AfterWatching::Watching
    }

    fn goodbye(&mut self, cx: &mut EventsCx<'_>) -> events::AfterGoodbye {
        // A browser drops an event without data.
        cx.write(b"retry: 5000\nevent: bye\ndata: \"the server shuts down\"\n\n");
        events::AfterGoodbye::Gone
    }
}

//! The admin pool: connections that only wait for events of the server.

use std::sync::Arc;
use std::time::SystemTime;

use fsm_runtime::prelude::*;

use crate::feed::{Feed, Subscription};
use crate::http::{Response, Status};

/// A client that receives an event for each document filed or deleted, as server-sent events. The
/// front pool hands its connection over, and it stays here.
#[state_machine(start = Open, message = Arc<str>, eof => Gone)]
pub(crate) enum Events {
    /// Begins the stream of events.
    #[run]
    #[to(Watching)]
    Open,

    /// Waits for an event.
    #[message(idle = 15s => KeepAlive)]
    #[to(Watching)]
    #[rest]
    Watching,

    /// Sends a comment, because proxies close connections that stay silent.
    #[run]
    #[to(Watching)]
    KeepAlive,

    #[end]
    Gone,
}

/// The client's state: its subscription to the feed.
pub(crate) struct Subscriber {
    feed: Arc<Feed>,
    subscription: Option<Subscription>,
}

impl Subscriber {
    pub(crate) fn new(feed: &Arc<Feed>) -> Self {
        Self { feed: Arc::clone(feed), subscription: None }
    }
}

/// The head of the response, whose body are the events.
pub(crate) fn response() -> Response {
    Response::new(Status::Ok)
        .with("Content-Type", "text/event-stream")
        .with("Cache-Control", "no-store")
}

impl events::Handler for Subscriber {
    fn open(&mut self, cx: &mut Cx<'_, Arc<str>>) -> events::AfterOpen {
        // Writing to `cx` never fails.
        let _ = response().open(cx, SystemTime::now());
        cx.write(b"retry: 1000\n\n");
        self.subscription = Some(self.feed.subscribe(cx.key()));
        events::AfterOpen::Watching
    }

    fn watching(&mut self, event: Arc<str>, cx: &mut Cx<'_, Arc<str>>) -> events::AfterWatching {
        let missed = self.subscription.as_ref().map_or(0, Subscription::missed);
        if missed > 0 {
            writeln!(cx, "event: missed\ndata: {missed}\n");
        }
        cx.write(event.as_bytes());
        events::AfterWatching::Watching
    }

    fn keep_alive(&mut self, cx: &mut Cx<'_, Arc<str>>) -> events::AfterKeepAlive {
        cx.write(b":\n\n");
        events::AfterKeepAlive::Watching
    }
}

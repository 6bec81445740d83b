//! The admin pool: connections that only wait for what there is to tell.

use std::sync::Arc;
use std::time::SystemTime;

use fsm_runtime::prelude::*;

use crate::feed::{Feed, Seat};
use crate::http::{Response, Status};

/// A client that is told of what is filed and deleted, as server-sent events. It comes from the front
/// pool, and stays.
#[state_machine(start = Open, message = Arc<str>, eof => Gone)]
pub(crate) enum Events {
    /// Begins the stream of events.
    #[run]
    #[to(Watching)]
    Open,

    /// Waits for an event.
    #[message(idle = 15s => Quiet)]
    #[to(Watching)]
    #[rest]
    Watching,

    /// Says that the connection is alive, to whoever in between would cut it.
    #[run]
    #[to(Watching)]
    Quiet,

    #[end]
    Gone,
}

/// One who watches.
pub(crate) struct Watcher {
    feed: Arc<Feed>,
    seat: Option<Seat>,
}

impl Watcher {
    pub(crate) fn new(feed: &Arc<Feed>) -> Self {
        Self { feed: Arc::clone(feed), seat: None }
    }
}

impl events::Handler for Watcher {
    fn open(&mut self, cx: &mut Cx<'_, Arc<str>>) -> events::AfterOpen {
        let response = Response::new(Status::Ok)
            .with("Content-Type", "text/event-stream")
            .with("Cache-Control", "no-store");
        // Writing to `cx` never fails.
        let _ = response.open(cx, SystemTime::now());
        cx.write(b"retry: 1000\n\n");
        self.seat = Some(self.feed.sit(cx.key()));
        events::AfterOpen::Watching
    }

    fn watching(&mut self, event: Arc<str>, cx: &mut Cx<'_, Arc<str>>) -> events::AfterWatching {
        let missed = self.seat.as_ref().map_or(0, Seat::missed);
        if missed > 0 {
            writeln!(cx, "event: missed\ndata: {missed}\n");
        }
        cx.write(event.as_bytes());
        events::AfterWatching::Watching
    }

    fn quiet(&mut self, cx: &mut Cx<'_, Arc<str>>) -> events::AfterQuiet {
        cx.write(b":\n\n");
        events::AfterQuiet::Watching
    }
}

use std::sync::Arc;

use super::request::{Method, Request};
use super::response::{Response, Status, begin_stream};
use super::routes;
use super::shared::ConsoleShared;
use super::top::Top as Frames;
use crate::{Cx, state_machine};

/// A client of the console: a browser, a scraper or a terminal.
#[state_machine(start = Head, eof => Gone)]
pub(crate) enum Http {
    /// Waits for the head of a request. No request has a body.
    #[read(until = b"\r\n\r\n", max = 8KiB, limit => TooLarge, idle = 60s => Gone, begun = 10s => Gone)]
    #[to(Head | Frames | Last)]
    #[rest]
    Head,
    /// Says that the head is too large.
    #[run]
    #[to(Last)]
    TooLarge,
    /// Sends a frame of text each second. It reads, so that it notices a client that leaves.
    #[read(some, max = 4KiB, within = never)]
    #[tick(1s)]
    #[to(Frames)]
    #[rest]
    Frames,
    /// Waits until the client has taken the last answer.
    #[flush(within = 10s => Gone)]
    #[to(Gone)]
    Last,
    #[end]
    Gone,
}

/// The handler of a client's connection.
pub(crate) struct Client {
    shared: Arc<ConsoleShared>,
    frames: Frames,
}

impl Client {
    pub(super) fn new(shared: Arc<ConsoleShared>) -> Self {
        Self { shared, frames: Frames::default() }
    }

    fn frame(&mut self, cx: &mut Cx<'_>) -> http::AfterFrames {
        let frame = self.frames.next(&self.shared);
        cx.write(frame.as_bytes());
        http::AfterFrames::Frames
    }

    /// Answers a request; `None` if frames are asked for.
    fn answer(&self, request: &Request) -> Option<Response> {
        let host = request.host.as_deref();
        if host.is_some_and(|host| !self.shared.guard.allows_host(host)) {
            let why = "this host is not allowed; use an IP address or `localhost`";
            return Some(Response::error(Status::Misdirected, why));
        }
        routes::answer(request, &self.shared)
    }
}

impl http::Handler for Client {
    fn head(&mut self, head: &[u8], cx: &mut Cx<'_>) -> http::AfterHead {
        let request = match Request::parse(&[head, b"\r\n\r\n"].concat()) {
            Ok(request) => request,
            Err(refused) => {
                refused.write(cx, false, true);
                return http::AfterHead::Last;
            }
        };
        let closes = request.closes || cx.draining();
        let Some(answer) = self.answer(&request) else {
            begin_stream(cx);
            self.frame(cx);
            return http::AfterHead::Frames;
        };
        answer.write(cx, request.method == Method::Head, closes);
        if closes { http::AfterHead::Last } else { http::AfterHead::Head }
    }

    fn too_large(&mut self, cx: &mut Cx<'_>) -> http::AfterTooLarge {
        Response::error(Status::TooLarge, "the head is too large").write(cx, false, true);
        http::AfterTooLarge::Last
    }

    fn frames(&mut self, _: &[u8], _: &mut Cx<'_>) -> http::AfterFrames {
        http::AfterFrames::Frames
    }

    fn frames_tick(&mut self, cx: &mut Cx<'_>) -> http::AfterFrames {
        self.frame(cx)
    }

    fn last(&mut self, _: &mut Cx<'_>) -> http::AfterLast {
        http::AfterLast::Gone
    }
}

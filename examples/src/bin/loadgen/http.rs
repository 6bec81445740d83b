//! The machine of a connection to an HTTP server.

use std::sync::Arc;
use std::time::Duration;

use fsm_runtime::prelude::*;

use crate::head::{Body, Chunk, Chunks, Head, Heads};
use crate::load::{Limits, Load};
use crate::options::Url;
use crate::requests::{Next, Requests};

type Context<'a> = Cx<'a, NoMessage, Limits>;

/// A connection to an HTTP/1.1 server. It has one request at a time.
#[state_machine(
    start = Ready,
    settings = Limits,
    eof => Closed,
    limit => Unexpected,
    refused => Unexpected,
    within = settings.timeout <= 1h => TimedOut,
)]
pub(crate) enum Http {
    /// Sends the next request, if one is due.
    #[run]
    #[to(Answer | Pause)]
    Ready,

    /// No request is due for this time. The pool closes the connection here at the end of the run.
    #[sleep(pause <= 1h)]
    #[to(Ready)]
    #[rest]
    Pause { pause: Duration },

    /// Waits for the head of the answer.
    #[read(frame = Heads, max = 64KiB)]
    #[to(Answer | Counted | ChunkHead | ToEnd)]
    Answer,

    /// Throws a body of known length away, however long it is.
    #[discard(exact = *left)]
    #[to(Answered)]
    Counted { left: u64 },

    /// Waits for the next chunk of a body.
    #[read(frame = Chunks)]
    #[to(ChunkBody | Trailer)]
    ChunkHead,

    /// Throws a chunk away, with its line end.
    #[discard(exact = *left)]
    #[to(ChunkHead)]
    ChunkBody { left: u64 },

    /// Waits for the empty line behind the last chunk; fields may stand before it.
    #[read(until = b"\r\n", max = 8KiB)]
    #[to(Trailer | Answered)]
    Trailer,

    /// Throws a body away that ends with the stream.
    #[read(some, max = 64KiB, eof => Answered)]
    #[to(ToEnd)]
    ToEnd,

    /// The answer is there.
    #[run]
    #[to(Ready | Gone)]
    Answered,

    /// The server ends the connection before the end of the answer.
    #[run]
    #[to(Gone)]
    Closed,

    /// The answer takes too long.
    #[run]
    #[to(Gone)]
    TimedOut,

    /// The answer is none.
    #[run]
    #[to(Gone)]
    Unexpected,

    #[end]
    Gone,
}

/// The client's side of a connection.
#[derive(Debug)]
pub(crate) struct Side {
    requests: Requests<()>,
    request: Bytes,
    /// The server takes another request after this answer.
    keeps_open: bool,
}

impl Side {
    /// Makes the sides of the connections.
    pub(crate) fn maker(load: &Arc<Load>, url: &Url) -> impl FnMut() -> Self + Send + use<> {
        let load = Arc::clone(load);
        let Url { host, path, .. } = url;
        let text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: loadgen\r\n\r\n");
        let request = Bytes::from(text);
        move || Self { requests: Requests::new(&load), request: request.clone(), keeps_open: true }
    }
}

impl http::Handler for Side {
    fn ready(&mut self, cx: &mut Context<'_>) -> http::AfterReady {
        loop {
            match self.requests.next(cx.draining()) {
                Next::Send => {
                    cx.send(self.request.clone());
                    self.requests.sent(());
                }
                Next::Answer => return http::AfterReady::Answer,
                Next::Pause(pause) => return http::AfterReady::Pause { pause },
            }
        }
    }

    fn answer(&mut self, head: Head, _: &mut Context<'_>) -> http::AfterAnswer {
        if head.status < 200 {
            return http::AfterAnswer::Answer;
        }
        if head.status >= 400 {
            self.requests.failed(|errors| &mut errors.refused);
        }
        self.keeps_open = head.keeps_open;
        match head.body {
            Body::Length(left) => http::AfterAnswer::Counted { left },
            Body::Chunked => http::AfterAnswer::ChunkHead,
            Body::ToEnd => http::AfterAnswer::ToEnd,
        }
    }

    fn chunk_head(&mut self, chunk: Chunk<'_>, _: &mut Context<'_>) -> http::AfterChunkHead {
        match chunk.size {
            0 => http::AfterChunkHead::Trailer,
            size => http::AfterChunkHead::ChunkBody { left: size.saturating_add(2) },
        }
    }

    fn trailer(&mut self, line: &[u8], _: &mut Context<'_>) -> http::AfterTrailer {
        if line.is_empty() { http::AfterTrailer::Answered } else { http::AfterTrailer::Trailer }
    }

    fn to_end(&mut self, _: &[u8], _: &mut Context<'_>) -> http::AfterToEnd {
        http::AfterToEnd::ToEnd
    }

    fn answered(&mut self, _: &mut Context<'_>) -> http::AfterAnswered {
        self.requests.answered();
        if self.keeps_open { http::AfterAnswered::Ready } else { http::AfterAnswered::Gone }
    }

    fn closed(&mut self, _: &mut Context<'_>) -> http::AfterClosed {
        // A connection that rests owes no answer.
        if self.requests.expected().is_some() {
            self.requests.failed(|errors| &mut errors.closed);
        }
        http::AfterClosed::Gone
    }

    fn timed_out(&mut self, _: &mut Context<'_>) -> http::AfterTimedOut {
        self.requests.failed(|errors| &mut errors.timeout);
        http::AfterTimedOut::Gone
    }

    fn unexpected(&mut self, _: &mut Context<'_>) -> http::AfterUnexpected {
        self.requests.failed(|errors| &mut errors.unexpected);
        http::AfterUnexpected::Gone
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use fsm_runtime::sim::Session;

    use super::*;
    use crate::load::Event;
    use crate::options::{Options, Server};
    use crate::tally::Errors;

    const REQUEST: &[u8] = b"GET /b?c HTTP/1.1\r\nHost: a:1\r\nUser-Agent: loadgen\r\n\r\n";

    fn connect() -> (Session<Http, Side>, Arc<Load>) {
        connect_with("--warmup 0s")
    }

    fn connect_with(options: &str) -> (Session<Http, Side>, Arc<Load>) {
        let line = format!("loadgen --http http://a:1/b?c --connections 1 {options}");
        let options = Options::try_parse_from(line.split(' ')).unwrap();
        let load = Arc::new(Load::new(&options));
        let Server::Http(url) = options.server() else { panic!("{options:?}") };
        let side = Side::maker(&load, url)();
        (Session::with_settings(side, Limits { timeout: options.timeout }), load)
    }

    #[test]
    fn bodies_are_thrown_away() {
        let (mut server, load) = connect();
        assert_eq!(server.receive(), REQUEST);
        let answers: [&[u8]; 4] = [
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: y\r\n\r\n",
        ];
        for (number, answer) in (1..).zip(answers) {
            for byte in answer {
                assert_eq!(load.state().tally.answers, number - 1);
                server.send(&[*byte]);
            }
            assert_eq!(
                (load.state().tally.answers, server.receive().to_vec()),
                (number, REQUEST.to_vec())
            );
        }
        assert_eq!(load.state().tally.errors.total(), 0);
    }

    #[test]
    fn a_connection_that_the_server_ends_after_an_answer_is_no_error() {
        let (mut server, load) = connect();
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assert_eq!(server.state(), None);
        drop(server);
        assert_eq!(load.counts(), (1, Errors::default()));

        let (mut server, load) = connect();
        server.send(b"HTTP/1.0 200 OK\r\n\r\nto the end");
        assert_eq!(server.state(), Some("ToEnd"));
        server.end();
        drop(server);
        assert_eq!(load.counts(), (1, Errors::default()));
    }

    #[test]
    fn with_a_number_of_requests_it_rests_after_the_last_answer() {
        let (mut server, load) = connect_with("--requests 2");
        for _ in 0..2 {
            assert_eq!(server.receive(), REQUEST);
            server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        assert_eq!((server.state(), server.receive().len()), (Some("Pause"), 0));
        // A connection that owes no answer may end.
        server.end();
        drop(server);
        assert_eq!(load.wait(load.begun + Duration::from_secs(60)), Event::Over);
        assert_eq!(load.counts(), (2, Errors::default()));
    }

    #[test]
    fn errors_are_counted_by_their_kind() {
        let (mut server, load) = connect();
        server.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(
            (load.state().tally.errors.refused, server.receive().len()),
            (1, 2 * REQUEST.len())
        );
        server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx");
        server.end();
        assert_eq!(load.state().tally.errors.closed, 1);

        for no_answer in
            [&b"nonsense\r\n"[..], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"]
        {
            let (mut server, load) = connect();
            server.send(no_answer);
            assert_eq!((server.state(), load.state().tally.errors.unexpected), (None, 1));
        }
        let (mut server, load) = connect();
        server.advance(Duration::from_secs(10));
        assert_eq!((server.state(), load.state().tally.errors.timeout), (None, 1));
    }
}

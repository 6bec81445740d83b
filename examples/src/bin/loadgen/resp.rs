//! The machine of a connection to a Redis server.

use std::sync::Arc;
use std::time::Duration;

use fsm_examples::resp::{Part, Parts};
use fsm_runtime::prelude::*;

use crate::load::{Limits, Load};
use crate::options::Options;
use crate::requests::{Next, Requests};

type Context<'a> = Cx<'a, NoMessage, Limits>;

/// A connection to a Redis server.
#[state_machine(
    start = Ready,
    settings = Limits,
    eof => Closed,
    limit => Unexpected,
    refused => Unexpected,
)]
pub(crate) enum Resp {
    /// Sends what is due.
    #[run]
    #[to(Answer | Pause)]
    Ready,

    /// No request is due for this time. The pool closes the connection here at the end of the run.
    #[sleep(pause <= 1h)]
    #[to(Ready)]
    #[rest]
    Pause { pause: Duration },

    /// Waits for the next answer. GET and SET have none with further parts.
    #[read(frame = Parts, max = 2MiB, within = settings.timeout <= 1h => TimedOut)]
    #[to(Ready | Unexpected)]
    Answer,

    /// The server ends the connection instead of answering.
    #[run]
    #[to(Gone)]
    Closed,

    /// The answer takes too long.
    #[run]
    #[to(Gone)]
    TimedOut,

    /// The answer is none to this request.
    #[run]
    #[to(Gone)]
    Unexpected,

    #[end]
    Gone,
}

/// The commands that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Get,
    Set,
}

/// The client's side of a connection.
#[derive(Debug)]
pub(crate) struct Side {
    requests: Requests<Kind>,
    mix: Arc<Mix>,
    random: fastrand::Rng,
}

/// The parts of commands that all connections share.
#[derive(Debug)]
struct Mix {
    sets: u8,
    keys: usize,
    value: Bytes,
}

impl Side {
    /// Makes the sides of the connections.
    pub(crate) fn maker(
        load: &Arc<Load>,
        options: &Options,
    ) -> impl FnMut() -> Self + Send + use<> {
        let load = Arc::clone(load);
        let value = vec![b'x'; options.value_size.get()].into();
        let mix = Arc::new(Mix { sets: options.sets, keys: options.keys.get(), value });
        move || Self {
            requests: Requests::new(&load),
            mix: Arc::clone(&mix),
            random: fastrand::Rng::new(),
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) {
        let key = self.random.usize(..self.mix.keys);
        let kind = if self.random.u8(..100) < self.mix.sets { Kind::Set } else { Kind::Get };
        match kind {
            Kind::Get => write!(cx, "*2\r\n$3\r\nGET\r\n$16\r\nkey:{key:012}\r\n"),
            Kind::Set => {
                let len = self.mix.value.len();
                write!(cx, "*3\r\n$3\r\nSET\r\n$16\r\nkey:{key:012}\r\n${len}\r\n");
                cx.send(self.mix.value.clone());
                cx.write(b"\r\n");
            }
        }
        self.requests.sent(kind);
    }
}

impl resp::Handler for Side {
    fn ready(&mut self, cx: &mut Context<'_>) -> resp::AfterReady {
        loop {
            match self.requests.next(cx.draining()) {
                Next::Send => self.send(cx),
                Next::Answer => return resp::AfterReady::Answer,
                Next::Pause(pause) => return resp::AfterReady::Pause { pause },
            }
        }
    }

    fn answer(&mut self, part: Part<'_>, _: &mut Context<'_>) -> resp::AfterAnswer {
        match (self.requests.expected(), part) {
            (Some(Kind::Get), Part::Bulk { bytes: None, .. }) => self.requests.missed(),
            (Some(Kind::Get), Part::Bulk { .. }) | (Some(Kind::Set), Part::Simple { .. }) => {}
            (Some(_), Part::Error { .. }) => self.requests.failed(|errors| &mut errors.refused),
            _ => return resp::AfterAnswer::Unexpected,
        }
        self.requests.answered();
        resp::AfterAnswer::Ready
    }

    fn closed(&mut self, _: &mut Context<'_>) -> resp::AfterClosed {
        // A connection that rests owes no answer.
        if self.requests.expected().is_some() {
            self.requests.failed(|errors| &mut errors.closed);
        }
        resp::AfterClosed::Gone
    }

    fn timed_out(&mut self, _: &mut Context<'_>) -> resp::AfterTimedOut {
        self.requests.failed(|errors| &mut errors.timeout);
        resp::AfterTimedOut::Gone
    }

    fn unexpected(&mut self, _: &mut Context<'_>) -> resp::AfterUnexpected {
        self.requests.failed(|errors| &mut errors.unexpected);
        resp::AfterUnexpected::Gone
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use fsm_runtime::sim::Session;

    use super::*;
    use crate::load::Event;
    use crate::tally::Errors;

    const GET: usize = "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n".len();

    fn connect(options: &str) -> (Session<Resp, Side>, Arc<Load>) {
        let line = format!("loadgen --resp a:1 --connections 1 --warmup 0s {options}");
        let options = Options::try_parse_from(line.split(' ')).unwrap();
        let load = Arc::new(Load::new(&options));
        let side = Side::maker(&load, &options)();
        let limits = Limits { timeout: options.timeout };
        (Session::with_settings(side, limits), load)
    }

    #[test]
    fn a_connection_asks_again_when_it_has_an_answer() {
        let (mut server, load) = connect("--sets 0 --keys 1 --pipeline 3");
        assert_eq!(server.receive().len(), 3 * GET);
        server.send(b"$-1\r\n$1\r\nx");
        assert_eq!(server.receive().len(), GET);
        server.send(b"\r\n");
        assert_eq!(server.receive().len(), GET);
        let tally = &load.state().tally;
        assert_eq!((tally.answers, tally.latencies.len(), tally.errors.total()), (2, 2, 0));
        assert_eq!(tally.misses, 1);
    }

    #[test]
    fn commands_are_whole() {
        let (mut server, _) = connect("--sets 100 --keys 1 --value-size 3");
        let set = b"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$3\r\nxxx\r\n";
        assert_eq!(server.receive(), set);
        server.send(b"+OK\r\n");
        assert_eq!(server.receive(), set);
    }

    #[test]
    fn errors_are_counted_by_their_kind() {
        type Case = (fn(&mut Session<Resp, Side>), fn(&Errors) -> u64, bool);
        let cases: [Case; 5] = [
            (|server| server.send(b"-ERR no\r\n"), |errors| errors.refused, true),
            (|server| server.send(b"+OK\r\n"), |errors| errors.unexpected, false),
            (|server| server.send(b"HTTP/1.1 400"), |errors| errors.unexpected, false),
            (|server| server.end(), |errors| errors.closed, false),
            (|server| server.advance(Duration::from_secs(10)), |errors| errors.timeout, false),
        ];
        for (act, count, goes_on) in cases {
            let (mut server, load) = connect("--sets 0");
            act(&mut server);
            assert_eq!(server.state().is_some(), goes_on);
            assert_eq!(count(&load.state().tally.errors), 1);
            drop(server);
            assert_eq!(load.state().tally.errors.unanswered, 1);
        }
    }

    #[test]
    fn a_drain_ends_it_with_the_last_answer() {
        let (mut server, load) = connect("--sets 0 --pipeline 2");
        server.drain();
        server.send(b"$-1\r\n");
        assert_eq!(server.state(), Some("Answer"));
        server.send(b"$-1\r\n");
        assert_eq!((server.state(), server.receive().len()), (None, 2 * GET));
        drop(server);
        assert_eq!(load.counts(), (2, Errors::default()));
    }

    #[test]
    fn with_a_number_of_requests_it_rests_after_the_last_answer() {
        let line = "loadgen --resp a:1 --connections 2 --sets 0 --pipeline 2 --requests 5";
        let options = Options::try_parse_from(line.split(' ')).unwrap();
        let load = Arc::new(Load::new(&options));
        let mut side = Side::maker(&load, &options);
        let limits = || Limits { timeout: options.timeout };
        let connect = |()| Session::<Resp, Side>::with_settings(side(), limits());
        let [mut first, mut second] = [(); 2].map(connect);
        assert_eq!((first.receive().len(), second.receive().len()), (2 * GET, 2 * GET));
        first.send(b"$-1\r\n");
        assert_eq!(first.receive().len(), GET);
        second.send(b"$-1\r\n$-1\r\n");
        assert_eq!((second.state(), second.receive().len()), (Some("Pause"), 0));
        // A connection that owes no answer may end.
        second.end();
        first.send(b"$-1\r\n$-1\r\n");
        assert_eq!((first.state(), first.receive().len()), (Some("Pause"), 0));
        assert_eq!(load.wait(load.begun + Duration::from_secs(60)), Event::Over);
        assert_eq!(load.counts(), (5, Errors::default()));
    }

    #[test]
    fn with_a_rate_it_rests_until_the_next_request_is_due() {
        let (mut server, _) = connect("--sets 0 --rate 1");
        // The first one is due at the beginning, which has just passed.
        assert_eq!(server.state(), Some("Pause"));
        server.drain();
        // It is a session of a server, where a peer that has said nothing yet has a second.
        server.advance(Duration::from_secs(1));
        assert_eq!(server.state(), None);
    }
}

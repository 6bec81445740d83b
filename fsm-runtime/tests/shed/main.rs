//! Newcomers that take the places of connections at rest (V11), on real sockets. The lack of descriptors needs
//! its own process: see `tests/tests/kv/hostile/descriptors.rs`.
//!
//! `SHED=10000` sets the number of connections of the largest test.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Builder, Running};

mod goodbye;
mod places;

/// Answers lines, and says goodbye.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = 80, idle = 5min => Gone)]
    #[to(Line | Listening | Working)]
    #[rest(drain => Bye)]
    Line,
    /// Keeps its place at rest.
    #[read(until = b"\n", max = 80, idle = 5min => Gone)]
    #[to(Line)]
    #[rest(keep, drain => Bye)]
    Listening,
    /// Has something in progress until the next line.
    #[read(until = b"\n", max = 80, idle = 5min => Gone)]
    #[to(Line)]
    Working,
    #[run]
    #[to(Gone)]
    Bye,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> talk::AfterLine {
        cx.write(line);
        cx.write(b"\n");
        match line {
            b"listen" => talk::AfterLine::Listening,
            b"work" => talk::AfterLine::Working,
            _ => talk::AfterLine::Line,
        }
    }

    fn listening(&mut self, line: &[u8], cx: &mut Cx<'_>) -> talk::AfterListening {
        cx.write(line);
        cx.write(b"\n");
        talk::AfterListening::Line
    }

    fn working(&mut self, line: &[u8], cx: &mut Cx<'_>) -> talk::AfterWorking {
        cx.write(line);
        cx.write(b"\n");
        talk::AfterWorking::Line
    }

    fn bye(&mut self, cx: &mut Cx<'_>) -> talk::AfterBye {
        cx.write(b"bye\n");
        talk::AfterBye::Gone
    }
}

fn pool(limit: usize) -> Builder<Talk> {
    Pool::builder("shedding").listen("127.0.0.1:0").max_connections(limit).shed_at_rest()
}

fn start(pool: Builder<Talk>) -> Running {
    pool.handler(|_| Client).start().unwrap()
}

/// The client's end of a connection.
struct Peer(BufReader<TcpStream>);

impl Peer {
    fn new(running: &Running) -> Self {
        let Address::Tcp(address) = running.addresses()[0] else { panic!("it listens on TCP") };
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// A client that has asked once, later than those before it.
    fn served(running: &Running) -> Self {
        let mut peer = Self::new(running);
        peer.ask("hello");
        // Times count in milliseconds.
        thread::sleep(Duration::from_millis(2));
        peer
    }

    fn send(&self, text: &str) {
        self.0.get_ref().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    #[track_caller]
    fn ask(&mut self, text: &str) {
        self.send(&format!("{text}\n"));
        assert_eq!(self.line(), format!("{text}\n"));
    }

    /// All bytes until the end of the stream.
    fn last_words(mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).unwrap();
        text
    }

    /// Whether nothing comes for this time.
    fn is_silent_for(&mut self, time: Duration) -> bool {
        let stream = self.0.get_ref();
        stream.set_read_timeout(Some(time)).unwrap();
        let heard = self.0.fill_buf().map(<[u8]>::len);
        self.0.get_ref().set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        heard
            .is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }
}

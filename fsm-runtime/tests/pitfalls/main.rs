//! The traps of readiness, sockets and clocks that have bitten other projects, by their numbers in
//! `docs/rules.md`, and related rules of a pool. Traps that need no pool are tested in unit tests.
//! Trap 16, no free descriptor, needs its own process: see `tests/tests/kv/hostile/descriptors.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;
use fsm_runtime::{Address, Running};

mod accept;
mod drain;
mod panics;
mod streams;
mod times;

/// Answers each line with its length.
#[state_machine(start = Line, eof => Last, limit => Gone)]
enum Lengths {
    #[read(until = b"\n", max = 1MiB, idle = 30s => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    /// Answers once more after the end of the client's stream.
    #[run]
    #[to(Leaving)]
    Last,
    #[flush(within = 5s => Gone)]
    #[to(Gone)]
    Leaving,
    #[end]
    Gone,
}

/// A handler that calls a closure of the test for each line.
struct Client {
    on_line: Box<dyn FnMut() + Send>,
}

impl lengths::Handler for Client {
    fn line(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> lengths::AfterLine {
        (self.on_line)();
        assert!(bytes != b"panic", "requested");
        writeln!(cx, "{}", bytes.len());
        lengths::AfterLine::Line
    }

    fn last(&mut self, cx: &mut Cx<'_>) -> lengths::AfterLast {
        cx.write(b"last\n");
        lengths::AfterLast::Leaving
    }
}

fn start(pool: Pool) -> (Running, SocketAddr) {
    let running = pool.start().unwrap();
    let Address::Tcp(address) = running.addresses()[0] else { unreachable!() };
    (running, address)
}

fn serve() -> (Running, SocketAddr) {
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0");
    start(pool.handler(|_| Client { on_line: Box::new(|| ()) }))
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn ask(mut stream: &TcpStream, line: &str, answer: &str) {
    stream.write_all(line.as_bytes()).unwrap();
    let mut got = vec![0; answer.len()];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(String::from_utf8_lossy(&got), answer);
}

//! The counts of edges, and the last transitions of a connection: the rules V8 and V9.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{PoolSnapshot, Running, Trigger};

mod edges;
mod history;

/// Long enough for every port that can answer.
const WITHIN: Duration = Duration::from_secs(20);

/// Has an edge for nearly each event of a connection.
#[state_machine(start = Line, error = Wrong, eof => Gone, error => Gone)]
enum Ways {
    #[read(until = b"\n", max = 16, limit => TooLong, idle = 60s => Gone)]
    #[to(Line | Run | Body | Nap | Slow | Ticks | Gone)]
    #[rest(drain => Bye)]
    Line,
    /// Has the same target for two events, which one arm of the generated code serves.
    #[read(until = b".", max = 4, limit => Gone, within = 60s => Gone)]
    #[to(Line)]
    Body,
    #[run(error => Line)]
    #[to(Line)]
    Run { fails: bool },
    #[sleep(1ms)]
    #[to(Line)]
    Nap,
    #[read(exact = 9, within = 20ms => Line)]
    #[to(Line)]
    Slow,
    #[read(exact = 9, idle = 60s => Gone)]
    #[tick(1ms)]
    #[to(Line)]
    Ticks,
    #[run]
    #[to(Bye)]
    TooLong,
    #[flush(within = 5s => Gone)]
    #[to(Gone)]
    Bye,
    #[end]
    Gone,
}

#[derive(Debug)]
struct Wrong;

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrong")
    }
}

struct Client;

impl ways::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> Result<ways::AfterLine, Wrong> {
        cx.write(b"ok\n");
        Ok(match line {
            b"run" => ways::AfterLine::Run { fails: false },
            b"fail" => ways::AfterLine::Run { fails: true },
            b"body" => ways::AfterLine::Body,
            b"nap" => ways::AfterLine::Nap,
            b"slow" => ways::AfterLine::Slow,
            b"ticks" => ways::AfterLine::Ticks,
            b"wrong" => return Err(Wrong),
            b"end" => ways::AfterLine::Gone,
            _ => ways::AfterLine::Line,
        })
    }

    fn body(&mut self, _: &[u8], cx: &mut Cx<'_>) -> Result<ways::AfterBody, Wrong> {
        cx.write(b"ok\n");
        Ok(ways::AfterBody::Line)
    }

    fn run(&mut self, fails: &mut bool, _: &mut Cx<'_>) -> Result<ways::AfterRun, Wrong> {
        if *fails { Err(Wrong) } else { Ok(ways::AfterRun::Line) }
    }

    fn nap(&mut self, cx: &mut Cx<'_>) -> Result<ways::AfterNap, Wrong> {
        cx.write(b"ok\n");
        Ok(ways::AfterNap::Line)
    }

    fn slow(&mut self, _: &[u8; 9], _: &mut Cx<'_>) -> Result<ways::AfterSlow, Wrong> {
        Ok(ways::AfterSlow::Line)
    }

    fn ticks(&mut self, _: &[u8; 9], _: &mut Cx<'_>) -> Result<ways::AfterTicks, Wrong> {
        Ok(ways::AfterTicks::Line)
    }

    fn ticks_tick(&mut self, cx: &mut Cx<'_>) -> Result<ways::AfterTicks, Wrong> {
        cx.write(b"ok\n");
        Ok(ways::AfterTicks::Line)
    }

    fn too_long(&mut self, cx: &mut Cx<'_>) -> Result<ways::AfterTooLong, Wrong> {
        cx.write(b"ok\n");
        Ok(ways::AfterTooLong::Bye)
    }

    fn bye(&mut self, _: &mut Cx<'_>) -> Result<ways::AfterBye, Wrong> {
        Ok(ways::AfterBye::Gone)
    }
}

struct Peer(TcpStream);

impl Peer {
    fn new(running: &Running) -> Self {
        let stream = TcpStream::connect(running.addresses()[0].to_string()).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        Self(stream)
    }

    /// Sends bytes, and waits for so many answers.
    fn ask(&mut self, bytes: &str, answers: usize) {
        self.0.write_all(bytes.as_bytes()).unwrap();
        self.0.read_exact(&mut vec![0; 3 * answers]).unwrap();
    }

    /// Waits until the server has closed the connection.
    fn end(mut self) {
        self.0.read_to_end(&mut Vec::new()).unwrap();
    }
}

/// The number of transitions over an edge, by its states and the kind of its event.
fn taken(pool: &PoolSnapshot, from: &str, to: &str, on: &str) -> u64 {
    let found: Vec<u64> = pool
        .edges
        .iter()
        .filter(|edge| edge.state.name == from && edge.edge.on.name() == on)
        .filter(|edge| pool.spec.states[edge.edge.target].name == to)
        .map(|edge| edge.count)
        .collect();
    assert_eq!(found.len(), 1, "one edge from {from} to {to} on {on}");
    found[0]
}

/// Takes snapshots until one is as the test wants it.
fn until(
    mut take: impl FnMut() -> PoolSnapshot,
    wanted: impl Fn(&PoolSnapshot) -> bool,
) -> PoolSnapshot {
    let by = Instant::now() + WITHIN;
    loop {
        let pool = take();
        if wanted(&pool) {
            return pool;
        }
        assert!(Instant::now() < by, "{pool:#?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

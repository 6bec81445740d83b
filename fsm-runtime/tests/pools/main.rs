//! Pipelines of several pools: calls, hand-offs and posts between them, on real sockets.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Running};

mod calls;
mod graph;
mod hand_offs;
mod replies;
mod submits;

fn address(running: &Running) -> SocketAddr {
    match &running.addresses()[0] {
        Address::Tcp(address) => *address,
        other => panic!("{other}"),
    }
}

fn connect(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(address(running)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap()
}

/// A latch at which jobs wait until the test opens it.
#[derive(Default)]
struct Latch(Mutex<bool>, Condvar, AtomicUsize);

impl Latch {
    /// The number of calls of `wait` so far.
    fn arrivals(&self) -> usize {
        self.2.load(Ordering::SeqCst)
    }

    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn wait(&self) {
        self.2.fetch_add(1, Ordering::SeqCst);
        let mut open = self.0.lock().unwrap();
        while !*open {
            open = self.1.wait(open).unwrap();
        }
    }
}

/// Answers each line with the reply of the other pool.
#[state_machine(start = Line, eof => Gone, limit => Gone, gone => Failed)]
enum Front {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Asking)]
    #[rest]
    Line,
    #[call(Upper, within = 10s => Late)]
    #[to(Line)]
    Asking,
    #[run]
    #[to(Line)]
    Failed,
    #[run]
    #[to(Line)]
    Late,
    #[end]
    Gone,
}

struct Client;

impl front::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> front::AfterLine {
        front::AfterLine::Asking { job: String::from_utf8_lossy(line).into_owned() }
    }

    fn asking(&mut self, reply: String, cx: &mut Cx<'_>) -> front::AfterAsking {
        writeln!(cx, "{reply}");
        front::AfterAsking::Line
    }

    fn failed(&mut self, cx: &mut Cx<'_>) -> front::AfterFailed {
        writeln!(cx, "failed");
        front::AfterFailed::Line
    }

    fn late(&mut self, cx: &mut Cx<'_>) -> front::AfterLate {
        writeln!(cx, "late");
        front::AfterLate::Line
    }
}

struct Upper;

impl Service for Upper {
    type Job = String;
    type Reply = String;
}

fn front() -> Pool {
    Pool::builder::<Front>("front").listen("127.0.0.1:0").handler(|_| Client)
}

/// A job machine of one step.
#[state_machine(start = Make, job = String, reply = String)]
enum Upcase {
    #[run(blocking)]
    #[to(Done)]
    Make { text: String },
    #[end]
    Done,
}

impl Upcase {
    fn pool(latch: &Arc<Latch>, jobs: usize) -> Pool {
        let latch = Arc::clone(latch);
        Pool::builder::<Upcase>("upcase").max_jobs(jobs).worker(move || Worker(Arc::clone(&latch)))
    }
}

struct Worker(Arc<Latch>);

impl upcase::Handler for Worker {
    fn make(&mut self, text: &mut String, _: &mut JobCx<'_>) -> upcase::AfterMake {
        self.0.wait();
        upcase::AfterMake::Done { reply: text.to_uppercase() }
    }
}

//! Ports with several threads, and pools with several ports, on real sockets: the rules R1 to R4,
//! X1, X2 and X9 to X11 with running threads. (Unit tests of `PortCore` check the rules alone, on
//! random histories.)

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Builder, Running};

mod adopted;
mod blocking;
mod drain;
mod listeners;
mod placement;
mod posts;
mod turns;
#[cfg(target_os = "linux")]
mod watchdog;

/// Answers each line with the result of the test's closure.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Lines {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

type Answer = dyn Fn(&str, &mut Cx<'_>) -> String + Send + Sync;

struct Client(Arc<Answer>);

impl lines::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> lines::AfterLine {
        let line = String::from_utf8_lossy(line);
        let answer = (self.0)(&line, cx);
        writeln!(cx, "{answer}");
        lines::AfterLine::Line
    }
}

fn pool(name: &str) -> Builder<Lines> {
    Pool::builder(name).listen("127.0.0.1:0")
}

fn start(
    pool: Builder<Lines>,
    answer: impl Fn(&str, &mut Cx<'_>) -> String + Send + Sync + 'static,
) -> Running {
    let answer: Arc<Answer> = Arc::new(answer);
    pool.handler(move |_| Client(Arc::clone(&answer))).start().unwrap()
}

/// The client's end of a connection.
struct Peer(BufReader<TcpStream>);

impl Peer {
    fn new(running: &Running) -> Self {
        let stream = TcpStream::connect(address(running)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    fn many(running: &Running, count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::new(running)).collect()
    }

    fn send(&self, line: &str) {
        self.0.get_ref().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn receive(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert_eq!(line.pop(), Some('\n'), "the end of the stream");
        line
    }

    fn ask(&mut self, line: &str) -> String {
        self.send(line);
        self.receive()
    }

    /// Reads until the end of the stream.
    fn read_to_end(mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest
    }
}

fn address(running: &Running) -> SocketAddr {
    let Address::Tcp(address) = running.addresses()[0] else { unreachable!() };
    address
}

/// The name of the thread that runs the handler.
fn thread_name() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

/// A latch at which handlers wait until the test opens it.
#[derive(Default)]
struct Latch(Mutex<bool>, Condvar);

impl Latch {
    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn wait(&self) {
        let mut open = self.0.lock().unwrap();
        while !*open {
            open = self.1.wait(open).unwrap();
        }
    }
}

/// The number of handlers that run, and its peak.
#[derive(Default)]
struct Concurrency {
    current: AtomicUsize,
    peak: AtomicUsize,
}

impl Concurrency {
    fn enter(&self) {
        let current = self.current.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(current, Ordering::SeqCst);
    }

    fn leave(&self) {
        self.current.fetch_sub(1, Ordering::SeqCst);
    }

    /// Runs long enough for others to run at the same time, if they could.
    fn dwell(&self) {
        self.enter();
        for _ in 0..20 {
            thread::yield_now();
        }
        self.leave();
    }

    fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }
}

/// Lets all clients send at once, several times.
fn flood(peers: &mut [Peer], rounds: usize) {
    for _ in 0..rounds {
        for peer in &*peers {
            peer.send("flood");
        }
        for peer in &mut *peers {
            peer.receive();
        }
    }
}

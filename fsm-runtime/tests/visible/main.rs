//! Snapshots of pools at work, on real sockets: the rules V1 to V4 and V10.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Filter, PoolPhase, PoolSnapshot, Running, Since};

mod jobs;
mod labels;
mod ports;
mod walks;

/// Long enough for every port that can answer.
const WITHIN: Duration = Duration::from_secs(20);

/// Answers each line, which consists of a word and, after `body`, four bytes.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Lines {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line | Body | Forever)]
    #[rest]
    Line,
    #[read(exact = 4, within = 30s => Gone)]
    #[to(Line)]
    Body,
    #[read(some, max = 80, within = never)]
    #[to(Forever)]
    Forever,
    #[end]
    Gone,
}

/// Blocks on the line `block`.
struct Client(Arc<Latch>);

impl lines::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> lines::AfterLine {
        if line == b"block" {
            self.0.wait();
        }
        cx.write(b"ok\n");
        match line {
            b"body" => lines::AfterLine::Body,
            b"forever" => lines::AfterLine::Forever,
            _ => lines::AfterLine::Line,
        }
    }

    fn body(&mut self, _: &[u8; 4], cx: &mut Cx<'_>) -> lines::AfterBody {
        cx.write(b"ok\n");
        lines::AfterBody::Line
    }

    fn forever(&mut self, _: &[u8], _: &mut Cx<'_>) -> lines::AfterForever {
        lines::AfterForever::Forever
    }
}

/// A latch at which handlers wait until the test opens it.
#[derive(Default)]
struct Latch {
    open: Mutex<bool>,
    opened: Condvar,
    entered: Mutex<Option<mpsc::Sender<()>>>,
}

impl Latch {
    /// A latch, and what tells of each handler that waits at it.
    fn new() -> (Arc<Self>, mpsc::Receiver<()>) {
        let (sender, entered) = mpsc::channel();
        let latch = Self { entered: Mutex::new(Some(sender)), ..Self::default() };
        (Arc::new(latch), entered)
    }

    fn wait(&self) {
        if let Some(sender) = &*self.entered.lock().unwrap() {
            sender.send(()).unwrap();
        }
        let mut open = self.open.lock().unwrap();
        while !*open {
            open = self.opened.wait(open).unwrap();
        }
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

struct Peer(TcpStream);

impl Peer {
    fn new(running: &Running) -> Self {
        let Address::Tcp(address) = &running.addresses()[0] else { panic!() };
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        Self(stream)
    }

    fn many(running: &Running, count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::new(running)).collect()
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    fn ask(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
        self.0.read_exact(&mut [0; 3]).unwrap();
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }
}

/// The addresses of the peers that a snapshot describes, in its order.
fn peers(pool: &PoolSnapshot) -> Vec<SocketAddr> {
    let peers = pool.tasks.iter().map(|task| match task.peer {
        Some(fsm_runtime::Peer::Tcp(address)) => address,
        other => panic!("{other:?}"),
    });
    peers.collect()
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

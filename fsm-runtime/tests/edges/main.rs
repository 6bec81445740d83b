//! What happens at the edges of the rules X2 and X7 to X11, where two of them meet: credits that come
//! back while somebody waits, drains while connections move, threads that start late or lose their
//! handler. Each of these was wrong once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Builder, Handle, Running};

mod credits;
mod drain;
mod ports;
mod settings;
mod times;
mod workers;

/// How long a test waits for what must come.
const LONG: Duration = Duration::from_secs(20);

/// Says what it hears. Other pools may hand over to it, too.
#[state_machine(start = Talk, eof => Gone)]
enum Echo {
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    #[end]
    Gone,
}

struct Client;

impl echo::Handler for Client {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
        cx.write(bytes);
        echo::AfterTalk::Talk
    }
}

fn echo() -> Builder<Echo> {
    Pool::builder("echo").listen("127.0.0.1:0")
}

/// The client's end of a connection.
struct Peer(TcpStream);

impl Peer {
    /// Of the pools' addresses, `number` says which.
    fn new(running: &Running, number: usize) -> Self {
        let stream = TcpStream::connect(address(running, number)).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    fn many(running: &Running, count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::new(running, 0)).collect()
    }

    fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// The next bytes, as many as there ought to be.
    fn hear(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Says this, and hears it again.
    fn echoes(&mut self, bytes: &[u8]) {
        self.say(bytes);
        assert_eq!(self.hear(bytes.len()), bytes);
    }
}

fn address(running: &Running, number: usize) -> SocketAddr {
    let Address::Tcp(address) = running.addresses()[number] else { unreachable!() };
    address
}

/// A door where handlers wait. It lets one through each time that it is opened.
#[derive(Default)]
struct Door(Mutex<Visits>, Condvar);

#[derive(Default)]
struct Visits {
    came: usize,
    may_pass: usize,
}

impl Door {
    fn open(&self) {
        self.0.lock().unwrap().may_pass += 1;
        self.1.notify_all();
    }

    fn pass(&self) {
        self.0.lock().unwrap().came += 1;
        self.1.notify_all();
        self.wait_while(|visits| visits.may_pass == 0).may_pass -= 1;
    }

    /// Waits until so many have come to it, since ever.
    fn wait_for(&self, visitors: usize) {
        drop(self.wait_while(|visits| visits.came < visitors));
    }

    fn wait_while(&self, closed: impl Fn(&Visits) -> bool) -> MutexGuard<'_, Visits> {
        let visits = self.0.lock().unwrap();
        let (visits, waited) =
            self.1.wait_timeout_while(visits, LONG, |visits| closed(visits)).unwrap();
        assert!(!waited.timed_out(), "nobody came, or nobody opened");
        visits
    }
}

/// Waits until it is so.
fn until(so: impl Fn() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < LONG, "it did not come to that");
        thread::yield_now();
    }
}

//! Cases in which two of the rules X2 and X7 to X11 meet: permits that return while a caller waits,
//! drains while connections move, threads that start late or lose their handler. Each case was a
//! bug once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Builder, Handle, Running};

mod drain;
mod permits;
mod ports;
mod settings;
mod times;
mod workers;

/// The time limit of a test that waits for something.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Echoes its input. Other pools may hand connections over to it.
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
    /// Connects to the address with this number of the pools' addresses.
    fn new(running: &Running, number: usize) -> Self {
        let stream = TcpStream::connect(address(running, number)).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    fn many(running: &Running, count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::new(running, 0)).collect()
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Reads this many bytes.
    fn receive(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Sends bytes and checks the echo.
    fn echo(&mut self, bytes: &[u8]) {
        self.send(bytes);
        assert_eq!(self.receive(bytes.len()), bytes);
    }
}

fn address(running: &Running, number: usize) -> SocketAddr {
    let Address::Tcp(address) = running.addresses()[number] else { unreachable!() };
    address
}

/// A semaphore at which handlers wait. Each `release` lets one of them go on.
#[derive(Default)]
struct Semaphore(Mutex<State>, Condvar);

#[derive(Default)]
struct State {
    arrived: usize,
    permits: usize,
}

impl Semaphore {
    fn release(&self) {
        self.0.lock().unwrap().permits += 1;
        self.1.notify_all();
    }

    fn acquire(&self) {
        self.0.lock().unwrap().arrived += 1;
        self.1.notify_all();
        self.wait_while(|state| state.permits == 0).permits -= 1;
    }

    /// Waits until `acquire` was called this many times in all.
    fn wait_for_arrivals(&self, arrivals: usize) {
        drop(self.wait_while(|state| state.arrived < arrivals));
    }

    fn wait_while(&self, blocked: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let state = self.0.lock().unwrap();
        let (state, waited) =
            self.1.wait_timeout_while(state, TIMEOUT, |state| blocked(state)).unwrap();
        assert!(!waited.timed_out(), "no arrival and no release in time");
        state
    }
}

/// Waits until the condition holds.
fn wait_until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < TIMEOUT, "the condition did not hold in time");
        thread::yield_now();
    }
}

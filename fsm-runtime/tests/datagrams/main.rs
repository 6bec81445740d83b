//! Machines that read datagrams, on real sockets: the rules D1 to D7.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Builder, Running, Stats};

mod bounds;
mod clients;
#[cfg(target_os = "linux")]
mod flood;
mod refused;
mod server;
mod sessions;

/// Answers each datagram. One that begins with `+` begins a count, which `+` goes on with and `-` ends.
#[state_machine(start = Ask)]
enum Answers {
    #[read(datagram, max = 512, idle = 20s => Gone)]
    #[to(Count | Nap | Gone)]
    Ask,
    #[read(datagram, max = 512, idle = 20s => Gone)]
    #[to(Count | Gone)]
    #[rest]
    Count { so_far: u32 },
    /// Datagrams that come meanwhile wait.
    #[sleep(50ms)]
    #[to(Count)]
    Nap,
    #[end]
    Gone,
}

struct Client(Peer);

impl answers::Handler for Client {
    fn ask(&mut self, datagram: &[u8], cx: &mut Cx<'_>) -> answers::AfterAsk {
        match datagram {
            b"+" => {
                cx.write(b"1");
                return answers::AfterAsk::Count { so_far: 1 };
            }
            b"nap" => return answers::AfterAsk::Nap,
            b"panic" => panic!("as it was asked to"),
            b"large" => cx.send(vec![b'x'; 70_000]),
            b"pieces" => {
                for _ in 0..40 {
                    cx.send(vec![b'x'; 1100]);
                    cx.write(b".");
                }
            }
            b"who" => write!(cx, "{}", self.0),
            b"quiet" => {}
            other => {
                cx.write(b"you said ");
                cx.write(other);
            }
        }
        answers::AfterAsk::Gone
    }

    fn count(&mut self, so_far: &mut u32, word: &[u8], cx: &mut Cx<'_>) -> answers::AfterCount {
        if word == b"-" {
            write!(cx, "{so_far} in all");
            return answers::AfterCount::Gone;
        }
        *so_far += 1;
        write!(cx, "{so_far}");
        answers::AfterCount::Count
    }

    fn nap(&mut self, cx: &mut Cx<'_>) -> answers::AfterNap {
        cx.write(b"awake");
        answers::AfterNap::Count { so_far: 0 }
    }
}

/// A pool of `Answers` on an address of its own.
fn serve(change: impl FnOnce(Builder<Answers>) -> Builder<Answers>) -> Running {
    let builder = Pool::builder::<Answers>("answers").listen("udp:127.0.0.1:0");
    change(builder).handler(Client).start().unwrap()
}

fn address(running: &Running) -> SocketAddr {
    let [Address::Udp(address)] = running.addresses() else { panic!("one address") };
    *address
}

/// A client with a port of its own.
fn client(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

fn receive(socket: &UdpSocket) -> String {
    let mut buffer = vec![0; 65_536];
    let len = socket.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..len]).into_owned()
}

fn ask(socket: &UdpSocket, question: &str) -> String {
    socket.send(question.as_bytes()).unwrap();
    receive(socket)
}

/// Waits until the counters of the only pool are as `wanted` says.
fn wait_for(running: &Running, wanted: impl Fn(&Stats) -> bool) -> Stats {
    for _ in 0..10_000 {
        let stats = running.stats();
        if wanted(&stats) {
            return stats;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("{:?}", running.stats())
}

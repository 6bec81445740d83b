//! The machine of `fsm-runtime/tests/by_hand` as the macro expands it, with the same tests.

#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::write_with_newline,
    reason = "the same text as the expansion by hand"
)]

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use fsm_runtime::sim::Session;
use fsm_runtime::{Address, Cx, Machine, Pool, state_machine};

#[derive(Debug)]
pub struct Refusal(&'static str);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[state_machine(start = Command, eof => Closed, error = Refusal, error => Refused)]
pub enum Demo {
    /// Waits for the next command line.
    #[read(until = b"\r\n", max = 64, limit => TooLong, idle = 5min => Closed)]
    #[to(Command | Body | Bye | Napping)]
    #[rest]
    Command,
    #[read(upto = left, max = 16KiB, within = 10s => Closed)]
    #[to(Body | Stored)]
    Body { name: String, left: u64 },
    #[run]
    #[to(Command)]
    Stored {
        #[carry]
        name: String,
    },
    #[sleep(100ms)]
    #[to(Command)]
    Napping,
    #[run(error => Closed)]
    #[to(Bye)]
    Refused {
        #[error]
        why: Refusal,
    },
    #[run]
    #[to(Bye)]
    TooLong,
    #[flush(within = 5s => Closed)]
    #[to(Closed)]
    Bye,
    #[end]
    Closed,
}

struct Client {
    stored: Vec<String>,
    sum: u64,
}

impl demo::Handler for Client {
    fn command(&mut self, line: &[u8], cx: &mut Cx<'_>) -> Result<demo::AfterCommand, Refusal> {
        match line {
            b"QUIT" => Ok(demo::AfterCommand::Bye),
            b"NAP" => Ok(demo::AfterCommand::Napping),
            [b'P', left] => Ok(demo::AfterCommand::Body {
                name: "doc".to_owned(),
                left: u64::from(left - b'0'),
            }),
            b"" => Err(Refusal("empty")),
            _ => {
                cx.write(line);
                cx.write(b"?\n");
                Ok(demo::AfterCommand::Command)
            }
        }
    }

    fn body(
        &mut self,
        _name: &mut String,
        left: &mut u64,
        bytes: &[u8],
        _cx: &mut Cx<'_>,
    ) -> Result<demo::AfterBody, Refusal> {
        *left -= bytes.len() as u64;
        self.sum += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        Ok(if *left == 0 { demo::AfterBody::Stored } else { demo::AfterBody::Body })
    }

    fn stored(&mut self, name: &mut String, cx: &mut Cx<'_>) -> Result<demo::AfterStored, Refusal> {
        write!(cx, "stored {name} {}\n", self.sum);
        self.stored.push(std::mem::take(name));
        Ok(demo::AfterStored::Command)
    }

    fn refused(
        &mut self,
        why: &mut Refusal,
        cx: &mut Cx<'_>,
    ) -> Result<demo::AfterRefused, Refusal> {
        write!(cx, "refused: {why}\n");
        Ok(demo::AfterRefused::Bye)
    }

    fn too_long(&mut self, cx: &mut Cx<'_>) -> Result<demo::AfterTooLong, Refusal> {
        cx.write(b"too long\n");
        Ok(demo::AfterTooLong::Bye)
    }
}

fn session() -> Session<Demo, Client> {
    Session::new(Client { stored: Vec::new(), sum: 0 })
}

#[test]
fn a_line_is_answered() {
    let mut peer = session();
    peer.send(b"hello\r\nP3\r\nabcNAP\r\nx");
    assert_eq!(peer.receive(), b"hello?\nstored doc 294\n");
    assert_eq!(peer.state(), Some("Napping"));
    peer.advance(Duration::from_millis(100));
    peer.send(b"y\r\n");
    assert_eq!(peer.receive(), b"xy?\n");
}

#[test]
fn the_edges_are_taken() {
    let mut peer = session();
    peer.send(&[b'x'; 66]);
    assert_eq!(peer.receive(), b"too long\n");
    assert_eq!(peer.state(), None);

    let mut peer = session();
    peer.send(b"\r\n");
    assert_eq!(peer.receive(), b"refused: empty\n");
    assert_eq!(peer.state(), None);

    let mut peer = session();
    peer.advance(Duration::from_secs(299));
    assert_eq!(peer.state(), Some("Command"));
    peer.send(b"half");
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.state(), None);

    assert_eq!(Demo::SPEC.states.len(), 8);
}

#[test]
fn x14_sockets_serve_the_same_machine() {
    let pool = Pool::builder::<Demo>("demo")
        .listen("127.0.0.1:0")
        .handler(|_| Client { stored: Vec::new(), sum: 0 });
    let running = pool.start().unwrap();
    let Address::Tcp(address) = running.addresses()[0] else { unreachable!() };
    let mut peer = TcpStream::connect(address).unwrap();
    let mut other = TcpStream::connect(address).unwrap();
    peer.write_all(b"hello\r\nP3\r\nabcQUIT\r\n").unwrap();
    let mut answer = String::new();
    peer.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "hello?\nstored doc 294\n");
    other.write_all(b"x\r\n").unwrap();
    let mut answer = [0; 3];
    other.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"x?\n");
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.done, stats.drained, stats.open), (2, 1, 1, 0));
}

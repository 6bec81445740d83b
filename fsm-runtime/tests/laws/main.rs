//! The laws of generated machines, and the rules of a port that runs them, mostly without sockets.
//! (`pitfalls` tests traps of sockets, and the unit tests of `PortCore` its rules.)

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;
use fsm_runtime::{Address, Running, check};

mod arithmetic;
mod asked;
mod cuts;
mod deadlines;
mod detours;
mod half_close;
mod input;
mod interleavings;
mod messages;
mod output;
mod peek;
mod settings;
mod unread;
mod waits;

/// Takes a name and a body, and files them.
#[state_machine(start = Name, eof => Gone, limit => Gone, within = 10s => Late, error = String, error => Failed)]
enum Filing {
    #[read(until = b"\n", max = 32)]
    #[to(Body | Chat | Sleeping)]
    #[rest]
    Name,
    #[read(exact = usize::from(*len), max = 100)]
    #[to(Filed)]
    Body { name: NotClone, len: u8 },
    #[run]
    #[to(Name)]
    Filed {
        #[carry]
        name: NotClone,
    },
    #[read(some, max = 16, idle = 2s => Late)]
    #[to(Chat | Gone)]
    Chat,
    #[sleep(*pause, max = 1min)]
    #[to(Name)]
    Sleeping { pause: Duration },
    #[run(error => Gone)]
    #[to(Gone)]
    Failed {
        #[error]
        why: String,
    },
    #[run(error => Gone)]
    #[to(Gone)]
    Late,
    #[end]
    Gone,
}

/// A value that can only be moved.
#[derive(Debug)]
struct NotClone(Vec<u8>);

struct FilingHandler;

impl filing::Handler for FilingHandler {
    fn name(&mut self, line: &[u8], cx: &mut Cx<'_>) -> Result<filing::AfterName, String> {
        match line {
            b"chat" => Ok(filing::AfterName::Chat),
            b"sleep" => Ok(filing::AfterName::Sleeping { pause: Duration::from_millis(1_500) }),
            b"panic" => {
                cx.write(b"lost with the panic");
                panic!("requested")
            }
            b"" => Err("no name".to_owned()),
            [name @ .., len] => Ok(filing::AfterName::Body {
                name: NotClone(name.to_vec()),
                len: len.wrapping_sub(b'0'),
            }),
        }
    }

    fn body(
        &mut self,
        name: &mut NotClone,
        _len: &mut u8,
        bytes: &[u8],
        _cx: &mut Cx<'_>,
    ) -> Result<filing::AfterBody, String> {
        name.0.push(b'=');
        name.0.extend_from_slice(bytes);
        if bytes.contains(&b'!') { Err(format!("{name:?}")) } else { Ok(filing::AfterBody::Filed) }
    }

    fn filed(
        &mut self,
        name: &mut NotClone,
        cx: &mut Cx<'_>,
    ) -> Result<filing::AfterFiled, String> {
        writeln!(cx, "{}", String::from_utf8_lossy(&name.0));
        Ok(filing::AfterFiled::Name)
    }

    fn chat(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> Result<filing::AfterChat, String> {
        cx.write(bytes);
        Ok(if bytes.contains(&b'.') { filing::AfterChat::Gone } else { filing::AfterChat::Chat })
    }

    fn failed(&mut self, why: &mut String, cx: &mut Cx<'_>) -> Result<filing::AfterFailed, String> {
        writeln!(cx, "failed: {why}");
        Ok(filing::AfterFailed::Gone)
    }

    fn late(&mut self, cx: &mut Cx<'_>) -> Result<filing::AfterLate, String> {
        cx.write(b"late\n");
        Ok(filing::AfterLate::Gone)
    }
}

fn filing() -> Session<Filing, FilingHandler> {
    Session::new(FilingHandler)
}

#[test]
fn l5_a_panic_leaves_a_named_state_and_sends_nothing() {
    let mut peer = filing();
    peer.send(b"panic\n");
    assert_eq!((peer.ended(), peer.receive()), (Some(Ended::Panicked), b"".into()));
}

#[test]
fn l5_an_error_takes_its_edge_with_the_error_and_the_state_as_it_is() {
    let mut peer = filing();
    peer.send(b"\n");
    assert_eq!(peer.receive(), b"failed: no name\n");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn l6_a_carried_field_is_moved_on() {
    let mut peer = filing();
    peer.send(b"doc3\nabcdoc0\n");
    assert_eq!(peer.receive(), b"doc=abc\ndoc=\n");
}

#[test]
fn l9_the_graph_is_data() {
    let spec = Filing::SPEC;
    assert_eq!((spec.name, spec.docs), ("Filing", "Takes a name and a body, and files them."));
    let edges = |name: &str| {
        let state = spec.states.iter().find(|state| state.name == name).unwrap();
        let edges = state.edges.iter();
        edges
            .map(|edge| format!("{}: {}", edge.on, spec.states[edge.target].name))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        edges("Chat"),
        ["verdict: Chat", "verdict: Gone", "idle 2s: Late", "eof: Gone", "error: Failed"]
    );
    assert_eq!(edges("Gone"), [""; 0]);
    let diagram = spec.mermaid();
    assert!(diagram.contains("Chat --> Late: idle 2s\n"), "{diagram}");
    assert!(spec.dot().contains("Chat -> Late [label=\"idle 2s\"];"), "{}", spec.dot());
}

#[test]
fn l2_an_end_in_the_middle_takes_the_eof_edge_and_a_reset_ends_it() {
    let mut peer = filing();
    peer.send(b"doc3\nab");
    peer.end();
    assert_eq!(peer.ended(), Some(Ended::Done));

    let mut peer = filing();
    peer.send(b"doc3\nab");
    peer.reset();
    assert_eq!(peer.ended(), Some(Ended::Reset));
}

#[test]
fn x11_a_drain_closes_at_rest_and_waits_in_the_middle() {
    let mut peer = filing();
    peer.send(b"doc3\nabc");
    peer.drain();
    assert_eq!((peer.receive(), peer.ended()), (b"doc=abc\n".into(), Some(Ended::Drained)));

    let mut peer = filing();
    peer.send(b"doc3\nab");
    peer.drain();
    assert_eq!(peer.ended(), None);
    peer.send(b"c");
    assert_eq!((peer.receive(), peer.ended()), (b"doc=abc\n".into(), Some(Ended::Drained)));

    // An incomplete request counts as in progress, also in a state at rest.
    let mut peer = filing();
    peer.send(b"do");
    peer.drain();
    assert_eq!(peer.ended(), None);
    peer.send(b"c1\nx");
    assert_eq!((peer.receive(), peer.ended()), (b"doc=x\n".into(), Some(Ended::Drained)));
}

#[test]
fn x19_a_drain_gives_a_peer_that_has_just_connected_a_second_for_its_first_bytes() {
    let mut peer = filing();
    peer.advance(Duration::from_millis(400));
    peer.drain();
    peer.advance(Duration::from_millis(599));
    assert_eq!(peer.ended(), None);
    peer.advance(Duration::from_millis(1));
    assert_eq!(peer.ended(), Some(Ended::Drained), "the time counts from its start");

    let mut peer = filing();
    peer.advance(Duration::from_secs(1));
    peer.drain();
    assert_eq!(peer.ended(), Some(Ended::Drained), "it was silent for that time");

    // A request that begins within the second has the time of its state.
    let mut peer = filing();
    peer.drain();
    peer.advance(Duration::from_millis(999));
    peer.send(b"doc3\nab");
    peer.advance(Duration::from_secs(9));
    peer.send(b"c");
    assert_eq!((peer.receive(), peer.ended()), (b"doc=abc\n".into(), Some(Ended::Drained)));

    // And there is no second one.
    let mut peer = filing();
    peer.drain();
    peer.send(b"doc1\nadoc");
    assert_eq!((peer.receive(), peer.ended()), (b"doc=a\n".into(), None));
    peer.send(b"1\nb");
    assert_eq!((peer.receive(), peer.ended()), (b"doc=b\n".into(), Some(Ended::Drained)));
}

fn start(pool: Pool) -> (Running, SocketAddr) {
    let running = pool.start().unwrap();
    let Address::Tcp(address) = running.addresses()[0] else { unreachable!() };
    (running, address)
}

//! Several waits on a state, and goodbyes (rules W, T and G).

use std::sync::Arc;
use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

use chat::{AfterBye, AfterLast, AfterRoom};

#[state_machine(start = Room, message = Arc<str>, eof => Gone)]
enum Chat {
    #[read(until = b"\n", max = 64, limit => TooLong, begun = 10s => Gone, idle = 60s => Gone)]
    #[message]
    #[tick(20s)]
    #[to(Room | Gone)]
    #[rest(drain => Bye)]
    Room,
    #[discard(until = b"\n", within = 10s => Gone)]
    #[to(Room)]
    TooLong,
    #[run]
    #[to(Hush)]
    Bye,
    #[shutdown(within = 5s => Gone)]
    #[to(Last)]
    Hush,
    #[read(some, max = 1KiB, within = 5s => Gone)]
    #[to(Last)]
    Last,
    #[end]
    Gone,
}

/// Writes down everything that it hears.
#[derive(Default)]
struct Member;

impl chat::Handler for Member {
    fn room(&mut self, bytes: &[u8], cx: &mut Cx<'_, Arc<str>>) -> AfterRoom {
        cx.write(b"<");
        cx.write(bytes);
        if bytes == b"quit" { AfterRoom::Gone } else { AfterRoom::Room }
    }

    fn room_message(&mut self, message: Arc<str>, cx: &mut Cx<'_, Arc<str>>) -> AfterRoom {
        cx.write(b">");
        cx.write(message.as_bytes());
        if &*message == "kick" { AfterRoom::Gone } else { AfterRoom::Room }
    }

    fn room_tick(&mut self, cx: &mut Cx<'_, Arc<str>>) -> AfterRoom {
        cx.write(b".");
        AfterRoom::Room
    }

    fn bye(&mut self, cx: &mut Cx<'_, Arc<str>>) -> AfterBye {
        cx.write(b"bye");
        AfterBye::Hush
    }

    fn last(&mut self, bytes: &[u8], cx: &mut Cx<'_, Arc<str>>) -> AfterLast {
        let _ = (bytes, cx);
        AfterLast::Last
    }
}

fn member() -> Session<Chat, Member> {
    Session::new(Member)
}

#[test]
fn w2_messages_and_input_alternate() {
    let mut peer = member();
    for text in ["1", "2", "3"] {
        peer.post(text.into()).unwrap();
    }
    peer.send(b"a\nb\nc\nd\n");
    assert_eq!(peer.receive(), b">1>2>3<a<b<c<d");
}

#[test]
fn w3_a_message_leaves_the_incomplete_line_alone() {
    let mut peer = member();
    peer.send(b"ab");
    peer.post("x".into()).unwrap();
    peer.send(b"c\n");
    assert_eq!(peer.receive(), b">x<abc");
}

#[test]
fn w4_only_a_line_arms_idle_again() {
    let mut peer = member();
    for _ in 0..5 {
        peer.advance(Duration::from_secs(10));
        peer.post("x".into()).unwrap();
    }
    assert_eq!(peer.receive(), b">x.>x>x.>x>x");
    peer.advance(Duration::from_secs(10));
    assert_eq!(peer.state(), None);
}

#[test]
fn t3_begun_replaces_idle() {
    let mut peer = member();
    peer.advance(Duration::from_secs(55));
    peer.send(b"half");
    peer.advance(Duration::from_secs(9));
    assert_eq!(peer.state(), Some("Room"));
    peer.send(b" a line\nhal");
    peer.advance(Duration::from_secs(9));
    assert_eq!(peer.state(), Some("Room"));
    peer.send(b"f");
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.state(), None);
}

#[test]
fn what_is_too_long_is_thrown_away() {
    let mut peer = member();
    peer.send(&[b'x'; 1000]);
    assert_eq!(peer.state(), Some("TooLong"));
    peer.send(&[b'x'; 1000]);
    peer.send(b"\nshort\n");
    assert_eq!(peer.receive(), b"<short");
}

#[test]
fn g1_a_drain_takes_its_edge_once() {
    let mut peer = member();
    peer.send(b"half");
    peer.drain();
    assert_eq!(peer.state(), Some("Room"));
    peer.send(b" a line\n");
    assert_eq!(peer.receive(), b"<half a linebye");
    assert_eq!(peer.state(), Some("Last"));
    peer.end();
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn a_verdict_of_each_wait_leads_on() {
    let mut peer = member();
    peer.post("kick".into()).unwrap();
    assert_eq!(peer.ended(), Some(Ended::Done));
    let mut peer = member();
    peer.send(b"quit\n");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

//! A handler of the machine `Chat`, and what it hears: the same for the machine that the macro makes and for
//! the one that is written by hand.

use std::sync::Arc;
use std::time::Duration;

use fsm_runtime::sim::Session;
use fsm_runtime::{Cx, Ended};

use super::Chat;
use super::chat::{self, AfterBye, AfterLast, AfterRoom};

/// Writes down everything that it hears.
#[derive(Default)]
pub(crate) struct Member;

impl chat::Handler for Member {
    fn room(&mut self, bytes: &[u8], cx: &mut Cx<'_, Arc<str>>) -> AfterRoom {
        cx.write(b"<");
        cx.write(bytes);
        if bytes == b"to all" {
            for text in ["1", "2", "3"] {
                cx.post(cx.key(), text.into()).unwrap();
            }
        }
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
fn l13_w2_messages_and_input_alternate() {
    let mut peer = member();
    peer.send(b"to all\na\nb\nc\nd\n");
    assert_eq!(peer.receive(), b"<to all>1<a>2<b>3<c<d");
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
fn l13_w4_only_a_line_arms_idle_again() {
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
fn l15_g1_a_drain_takes_its_edge_once() {
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

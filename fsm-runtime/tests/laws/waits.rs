//! Several waits on a state, and a farewell at a drain.

use std::sync::Arc;
use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[path = "../shared/chat.rs"]
mod behaviour;

pub(super) use behaviour::Member;

#[state_machine(start = Room, message = Arc<str>, eof => Gone)]
pub(super) enum Chat {
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

/// Takes a message, then a line.
#[state_machine(start = Listening, message = u8, eof => Gone, limit => Gone)]
enum Order {
    #[message(within = 60s => Gone)]
    #[to(Line)]
    Listening,
    #[read(until = b"\n", max = 64, within = 60s => Gone)]
    #[to(Listening)]
    Line,
    #[end]
    Gone,
}

struct Orders;

impl order::Handler for Orders {
    fn listening(&mut self, _: u8, _: &mut Cx<'_, u8>) -> order::AfterListening {
        order::AfterListening::Line
    }

    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, u8>) -> order::AfterLine {
        cx.write(line);
        order::AfterLine::Listening
    }
}

#[test]
fn w6_the_end_of_the_stream_comes_after_the_unread_input() {
    let mut peer = Session::<Order, _>::new(Orders);
    peer.send(b"a\nb\n");
    peer.end();
    for expected in ["a", "b"] {
        assert_eq!(peer.state(), Some("Listening"));
        peer.post(0).unwrap();
        assert_eq!(peer.receive(), expected.as_bytes());
    }
    assert_eq!(peer.ended(), Some(Ended::Done));
}

/// Asks another pool, and is interrupted by the end of the peer's stream.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Asker {
    #[read(until = b"\n", max = 64, within = 60s => Gone)]
    #[to(Asking)]
    Line,
    #[call(Shout, within = 60s => Gone, gone => Gone, eof => Left)]
    #[tick(5s)]
    #[to(Line | Late)]
    Asking,
    #[run]
    #[to(Gone)]
    Left,
    #[run]
    #[to(Line)]
    Late,
    #[end]
    Gone,
}

struct Shout;

impl Service for Shout {
    type Job = Vec<u8>;
    type Reply = Vec<u8>;
}

#[derive(Default)]
struct Client {
    ticks: u8,
}

impl asker::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> asker::AfterLine {
        self.ticks = 0;
        asker::AfterLine::Asking { job: line.to_vec() }
    }

    fn asking(&mut self, reply: Vec<u8>, cx: &mut Cx<'_>) -> asker::AfterAsking {
        cx.write(&reply);
        asker::AfterAsking::Line
    }

    fn asking_tick(&mut self, cx: &mut Cx<'_>) -> Option<asker::AfterAsking> {
        cx.write(b".");
        self.ticks += 1;
        (self.ticks == 3).then_some(asker::AfterAsking::Late)
    }

    fn left(&mut self, cx: &mut Cx<'_>) -> asker::AfterLeft {
        cx.write(b"left");
        asker::AfterLeft::Gone
    }

    fn late(&mut self, cx: &mut Cx<'_>) -> asker::AfterLate {
        cx.write(b"late");
        asker::AfterLate::Line
    }
}

#[test]
fn w6_a_call_that_says_so_is_withdrawn_when_the_peer_leaves() {
    let mut peer = Session::<Asker, _>::new(Client::default());
    // The input behind the first line keeps the end from being noticed.
    peer.send(b"a\nb\n");
    peer.end();
    assert_eq!(peer.state(), Some("Asking"));
    assert_eq!(peer.job::<Shout>(), Some(b"a".to_vec()));
    peer.reply::<Shout>(b"A".to_vec());
    assert_eq!(peer.receive(), b"Aleft");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn w1_a_tick_beside_a_call_waits_on_or_withdraws_the_job() {
    let mut peer = Session::<Asker, _>::new(Client::default());
    peer.send(b"a\n");
    peer.advance(Duration::from_secs(12));
    assert_eq!(peer.receive(), b"..");
    assert_eq!(peer.job::<Shout>(), Some(b"a".to_vec()));
    peer.reply::<Shout>(b"A".to_vec());
    assert_eq!(peer.receive(), b"A");
    peer.send(b"b\n");
    peer.advance(Duration::from_secs(15));
    assert_eq!(peer.receive(), b"...late");
    assert_eq!(peer.state(), Some("Line"));
}

/// Answers a line with a flood, and hears messages.
#[state_machine(start = Line, message = u8, eof => Gone, limit => Gone)]
enum Loud {
    #[read(until = b"\n", max = 64, idle = 5min => Gone)]
    #[message]
    #[tick(1s)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

struct Flood;

impl loud::Handler for Flood {
    fn line(&mut self, _: &[u8], cx: &mut Cx<'_, u8>) -> loud::AfterLine {
        cx.send(vec![b'x'; 512 * 1024]);
        loud::AfterLine::Line
    }

    fn line_message(&mut self, message: u8, cx: &mut Cx<'_, u8>) -> loud::AfterLine {
        cx.write(&[message]);
        loud::AfterLine::Line
    }

    fn line_tick(&mut self, cx: &mut Cx<'_, u8>) -> loud::AfterLine {
        cx.write(b".");
        loud::AfterLine::Line
    }
}

#[test]
fn w5_at_the_output_mark_nothing_is_taken_and_the_poster_hears_full() {
    let mut peer = Session::<Loud, _>::new(Flood);
    peer.window(0);
    peer.send(b"flood\nagain\n");
    let posted = (0..10_000).take_while(|_| peer.post(b'm').is_ok()).count();
    assert_eq!(posted, 1024);
    assert_eq!(peer.post(b'm'), Err(TrySendError::Full(b'm')));
    // Ticks write nothing either, and begin anew.
    peer.advance(Duration::from_secs(30));
    peer.window(usize::MAX);
    let heard = peer.receive();
    let floods = heard.iter().filter(|byte| **byte == b'x');
    assert_eq!(floods.count(), 2 * 512 * 1024);
    let others: Vec<u8> = heard.iter().copied().filter(|byte| *byte != b'x').collect();
    assert_eq!(others, [b'm'; 1024], "no tick is among them");
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.receive(), b".");
}

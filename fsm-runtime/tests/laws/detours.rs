//! Times that count from a read or from entering a group, while the machine is elsewhere (T3 to T5).

use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

use mixed::{AfterElse, AfterLine, AfterOther, AfterTold};

/// Reads lines, and goes elsewhere and back by messages and deadlines.
#[state_machine(start = Line, message = u8, eof => Gone, limit => Gone)]
enum Mixed {
    #[read(until = b"\n", max = 64, begun = 5s => Told, idle = 60s => Gone)]
    #[message]
    #[to(Line | Else | Other)]
    #[rest(drain => Bye)]
    Line,
    /// Answers a line that does not become whole in time.
    #[run]
    #[to(Line)]
    Told,
    #[run]
    #[to(Line)]
    Else,
    /// Reads bytes of another kind, without a time for each.
    #[read(exact = 4, within = never)]
    #[message]
    #[to(Other | Line)]
    Other,
    #[read(until = b"\n", max = 64, begun = 5s => Gone, within = 2min => Gone)]
    #[to(Bye)]
    Bye,
    #[end]
    Gone,
}

struct Mixer;

impl mixed::Handler for Mixer {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, u8>) -> AfterLine {
        cx.write(line);
        AfterLine::Line
    }

    fn line_message(&mut self, to: u8, _: &mut Cx<'_, u8>) -> AfterLine {
        if to == b'o' { AfterLine::Other } else { AfterLine::Else }
    }

    fn told(&mut self, cx: &mut Cx<'_, u8>) -> AfterTold {
        cx.write(b"slow");
        AfterTold::Line
    }

    fn r#else(&mut self, _: &mut Cx<'_, u8>) -> AfterElse {
        AfterElse::Line
    }

    fn other(&mut self, _: &[u8; 4], _: &mut Cx<'_, u8>) -> AfterOther {
        AfterOther::Other
    }

    fn other_message(&mut self, _: u8, _: &mut Cx<'_, u8>) -> AfterOther {
        AfterOther::Line
    }

    fn bye(&mut self, line: &[u8], cx: &mut Cx<'_, u8>) -> mixed::AfterBye {
        cx.write(line);
        mixed::AfterBye::Bye
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn t5_a_begun_that_leads_back_begins_anew() {
    let mut peer = Session::<Mixed, _>::new(Mixer);
    peer.send(b"half");
    peer.advance(seconds(5));
    assert_eq!(peer.receive(), b"slow");
    peer.advance(seconds(4));
    assert_eq!(peer.receive(), b"");
    peer.advance(seconds(1));
    assert_eq!(peer.receive(), b"slow");
    peer.send(b"\n");
    assert_eq!(peer.receive(), b"half");
}

#[test]
fn t5_a_read_elsewhere_restarts_what_counts_from_a_read() {
    // The line that has begun is read elsewhere, as another message.
    let mut peer = Session::<Mixed, _>::new(Mixer);
    peer.send(b"ab");
    peer.advance(seconds(1));
    peer.post(b'o').unwrap();
    peer.send(b"cd");
    peer.post(b'l').unwrap();
    assert_eq!(peer.state(), Some("Line"));
    peer.advance(seconds(10));
    assert_eq!(peer.receive(), b"");

    // The peer that speaks elsewhere is not silent.
    let mut peer = Session::<Mixed, _>::new(Mixer);
    peer.advance(seconds(50));
    peer.post(b'o').unwrap();
    peer.send(b"abcd");
    peer.post(b'l').unwrap();
    peer.advance(seconds(59));
    assert_eq!(peer.state(), Some("Line"));
    peer.advance(seconds(1));
    assert_eq!(peer.state(), None);
}

/// Asks between lines, and waits for the answer for a short time.
#[state_machine(start = Room, message = u8, eof => Gone, limit => Gone)]
enum Quiz {
    #[read(until = b"\n", max = 64, idle = 60s => Gone)]
    #[message]
    #[to(Room | Ask)]
    Room,
    #[read(until = b"\n", max = 64, idle = 5s => Room)]
    #[message]
    #[to(Room)]
    Ask,
    #[end]
    Gone,
}

struct Guest;

impl quiz::Handler for Guest {
    fn room(&mut self, _: &[u8], _: &mut Cx<'_, u8>) -> quiz::AfterRoom {
        quiz::AfterRoom::Room
    }

    fn room_message(&mut self, _: u8, _: &mut Cx<'_, u8>) -> quiz::AfterRoom {
        quiz::AfterRoom::Ask
    }

    fn ask(&mut self, _: &[u8], _: &mut Cx<'_, u8>) -> quiz::AfterAsk {
        quiz::AfterAsk::Room
    }

    fn ask_message(&mut self, _: u8, _: &mut Cx<'_, u8>) -> quiz::AfterAsk {
        quiz::AfterAsk::Room
    }
}

#[test]
fn t5_a_shorter_idle_elsewhere_does_not_shorten_that_of_a_state() {
    let mut peer = Session::<Quiz, _>::new(Guest);
    peer.post(0).unwrap();
    assert_eq!(peer.state(), Some("Ask"));
    peer.advance(seconds(1));
    peer.post(0).unwrap();
    assert_eq!(peer.state(), Some("Room"));
    peer.advance(seconds(59));
    assert_eq!(peer.state(), Some("Room"));
    peer.advance(seconds(1));
    assert_eq!(peer.state(), None);
}

#[test]
fn t5_an_idle_elsewhere_does_not_hide_a_silent_peer() {
    let mut peer = Session::<Quiz, _>::new(Guest);
    for _ in 0..12 {
        assert_eq!(peer.state(), Some("Room"));
        peer.post(0).unwrap();
        peer.advance(seconds(10));
    }
    assert_eq!(peer.state(), None);
}

/// Says goodbye in a state whose time counts from the first byte.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Polite {
    #[read(until = b"\n", max = 64, idle = 3s => Gone)]
    #[to(Line)]
    #[rest(drain => Bye)]
    Line,
    #[read(until = b"\n", max = 64, within = never, begun = 5s => Gone)]
    #[to(Bye)]
    Bye,
    #[end]
    Gone,
}

struct Host;

impl polite::Handler for Host {
    fn line(&mut self, _: &[u8], _: &mut Cx<'_>) -> polite::AfterLine {
        polite::AfterLine::Line
    }

    fn bye(&mut self, _: &[u8], _: &mut Cx<'_>) -> polite::AfterBye {
        polite::AfterBye::Bye
    }
}

#[test]
fn g1_t3_a_drain_edge_begins_no_message() {
    let mut peer = Session::<Polite, _>::new(Host);
    peer.send(b"hello\n");
    peer.drain();
    assert_eq!(peer.state(), Some("Bye"));
    peer.advance(seconds(4));
    assert_eq!(peer.state(), Some("Bye"));
    peer.send(b"half");
    peer.advance(seconds(4));
    assert_eq!(peer.state(), Some("Bye"));
    peer.advance(seconds(1));
    assert_eq!(peer.state(), None);
}

#[test]
fn g1_x19_a_peer_that_says_nothing_takes_the_drain_edge_after_the_grace() {
    let mut peer = Session::<Polite, _>::new(Host);
    peer.drain();
    assert_eq!(peer.state(), Some("Line"));
    peer.advance(seconds(1));
    assert_eq!(peer.state(), Some("Bye"));
    let mut peer = Session::<Polite, _>::new(Host);
    peer.drain();
    peer.send(b"hello\n");
    assert_eq!(peer.state(), Some("Bye"));
}

/// Writes much while it sleeps, within a time for all of that.
#[state_machine(start = Order, eof => Gone, Work = Busy, within(Work) = 30s => Slow)]
enum Snail {
    #[read(exact = 1, idle = 1h => Gone)]
    #[to(Busy)]
    Order,
    #[sleep(20s)]
    #[to(Busy)]
    Busy,
    #[run]
    #[to(Gone)]
    Slow,
    #[end]
    Gone,
}

struct Slime;

impl snail::Handler for Slime {
    fn order(&mut self, _: &[u8; 1], cx: &mut Cx<'_>) -> snail::AfterOrder {
        cx.write(&vec![b'x'; 1 << 20]);
        snail::AfterOrder::Busy
    }

    fn busy(&mut self, _: &mut Cx<'_>) -> snail::AfterBusy {
        snail::AfterBusy::Busy
    }

    fn slow(&mut self, _: &mut Cx<'_>) -> snail::AfterSlow {
        snail::AfterSlow::Gone
    }
}

#[test]
fn t4_a_sleep_at_the_output_mark_does_not_restart_the_time_of_its_group() {
    let mut peer = Session::<Snail, _>::new(Slime);
    peer.window(0);
    peer.send(b"x");
    assert_eq!(peer.state(), Some("Busy"));
    peer.advance(seconds(29));
    assert_eq!(peer.state(), Some("Busy"));
    peer.advance(seconds(1));
    // The connection closes once its output has left.
    assert_eq!(peer.state(), Some("Gone"));
}

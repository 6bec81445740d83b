//! An embedded connection does what a simulated one does.

use fsm_runtime::sim::Session;

use super::*;

/// The inputs, each of which comes in every two pieces, and byte by byte.
const INPUTS: [&[u8]; 8] = [
    b"one\ntwo\n",
    b"pair\nab\nthree\n",
    b"part\nxyz\npart\nx",
    b"this line is too long for it\nmore\n",
    b"quit\nand what is behind it",
    b"bye\nand what is behind it",
    b"pair\nabpair\nc",
    b"flood\nand then\n",
];

/// The outside of a connection.
#[derive(Debug, PartialEq)]
struct Seen {
    output: Vec<u8>,
    state: Option<&'static str>,
    ended: Option<Ended>,
}

fn seen(conn: &mut Talking, now: Duration) -> Seen {
    Seen { output: taken(conn, now), state: conn.state(), ended: conn.ended() }
}

fn seen_of(peer: &mut Session<Talk, Speaker>) -> Seen {
    Seen { output: peer.receive().into(), state: peer.state(), ended: peer.ended() }
}

/// Gives both the pieces with a pause between them, and then the end of the stream, and compares what they do.
fn compare(pieces: &[&[u8]], pause: u64) {
    let mut peer = Session::<Talk, _>::new(Speaker);
    let mut conn = Host::new().open(Peer::Memory, Speaker, at(0));
    assert_eq!(seen(&mut conn, at(0)), seen_of(&mut peer));
    let mut now = at(0);
    for piece in pieces {
        peer.send(piece);
        give(&mut conn, piece, now);
        assert_eq!(seen(&mut conn, now), seen_of(&mut peer), "{pieces:?} {pause}");
        peer.advance(at(pause));
        let until = now + at(pause);
        while let Some(due) = conn.deadline().filter(|due| *due <= until) {
            conn.on_time(due);
        }
        now = until;
        assert_eq!(seen(&mut conn, now), seen_of(&mut peer), "{pieces:?} {pause}");
    }
    peer.end();
    conn.eof(now);
    assert_eq!(seen(&mut conn, now), seen_of(&mut peer), "{pieces:?} {pause}");
}

#[test]
fn m1_it_does_the_same_as_a_session_however_the_input_is_cut() {
    for input in INPUTS {
        for cut in 0..=input.len() {
            let (first, second) = input.split_at(cut);
            // No time, less than each deadline, and more than all.
            for pause in [0, 4_000, 11_000] {
                compare(&[first, second], pause);
            }
        }
        compare(&input.chunks(1).collect::<Vec<_>>(), 0);
        compare(&input.chunks(1).collect::<Vec<_>>(), 700);
    }
}

#[test]
fn m1_it_knows_its_peer_and_its_seed() {
    let peer = Peer::Tcp("127.0.0.1:7".parse().unwrap());
    let conn = Host::<Seeded, _>::new().open_seeded(peer, 3, Counter, at(0));
    assert_eq!(conn.output(), b"3 for 127.0.0.1:7");
    assert_eq!(conn.ended(), Some(Ended::Done));
}

/// Says how it was started, and ends.
#[state_machine(start = Say, seed = u8)]
enum Seeded {
    #[run]
    #[to(Gone)]
    Say { number: u8 },
    #[end]
    Gone,
}

struct Counter;

impl seeded::Handler for Counter {
    fn say(&mut self, number: &mut u8, cx: &mut Cx<'_>) -> seeded::AfterSay {
        let peer = cx.peer().expect("it was told");
        write!(cx, "{number} for {peer}");
        seeded::AfterSay::Gone
    }
}

#[test]
fn m2_deadlines_are_those_of_the_time_that_it_was_told() {
    let mut conn = talking();
    assert_eq!(conn.deadline(), Some(at(10_000)));
    give(&mut conn, b"pair\n", at(3_000));
    assert_eq!(conn.deadline(), Some(at(8_000)));
    // A time that is not over changes nothing, and neither does an earlier one.
    conn.on_time(at(7_999));
    conn.on_time(at(2_000));
    assert_eq!((conn.state(), conn.deadline()), (Some("Pair"), Some(at(8_000))));
    taken(&mut conn, at(7_999));
    conn.on_time(at(8_000));
    assert_eq!(taken(&mut conn, at(8_000)), b"slow;");
    // `idle` goes on over a detour without a read (T5), and has passed when the machine is told so late.
    conn.on_time(at(60_000));
    assert_eq!(taken(&mut conn, at(60_000)), b"slow;");
    give(&mut conn, b"quit\n", at(60_000));
    assert_eq!((conn.deadline(), conn.state()), (None, None));
}

#[test]
fn m2_handlers_see_the_time_that_was_told() {
    let mut conn = Host::<Stopwatch, _>::new().open(Peer::Memory, Watch(None), at(5_000));
    assert_eq!(conn.output(), b"");
    conn.input(b"x", at(5_000));
    conn.input(b"x", at(7_500));
    assert_eq!(conn.output(), b"2.5s");
}

/// Says how much time is between two bytes.
#[state_machine(start = Byte, eof => Gone)]
enum Stopwatch {
    #[read(exact = 1, within = 60s => Gone)]
    #[to(Byte)]
    Byte,
    #[end]
    Gone,
}

struct Watch(Option<std::time::Instant>);

impl stopwatch::Handler for Watch {
    fn byte(&mut self, _: &[u8; 1], cx: &mut Cx<'_>) -> stopwatch::AfterByte {
        if let Some(last) = self.0.replace(cx.now()) {
            write!(cx, "{:?}", cx.now() - last);
        }
        stopwatch::AfterByte::Byte
    }
}

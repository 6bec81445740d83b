//! States that wait for both sockets: `read` beside `read(other)`, and `relay(out)` beside `read(other)`.

use super::*;

/// Hears its client, its target, messages and a tick, and writes down who spoke.
#[state_machine(start = Hello, message = u8, limit => Gone)]
enum Hub {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(within = 5s => Gone, refused => Gone)]
    #[to(Pause | Open)]
    Dial,
    /// Lets input arrive on both sides.
    #[sleep(1s)]
    #[to(Open)]
    Pause,
    #[read(until = b"\n", max = 16, idle = 60s => Quiet, begun = 9s => Slow, eof => Left)]
    #[read(other, frame = Words, idle = 30s => Silent, eof => Ended, refused => Bad)]
    #[message]
    #[tick(25s)]
    #[to(Open | Pair)]
    Open,
    /// The same without messages.
    #[read(exact = 1, within = 50s => Quiet, eof => Left)]
    #[read(other, until = b"\n", max = 8, eof => Ended, limit => Bad)]
    #[to(Pair | Gone)]
    Pair { pairs: u8 },
    #[run]
    #[to(Gone)]
    Quiet,
    #[run]
    #[to(Gone)]
    Slow,
    #[run]
    #[to(Gone)]
    Silent,
    #[run]
    #[to(Gone)]
    Left,
    #[run]
    #[to(Gone)]
    Ended,
    #[run]
    #[to(Gone)]
    Bad,
    #[end]
    Gone,
}

/// A word of the target.
#[frame(Words)]
struct Word<'a> {
    #[is(7)]
    kind: u8,
    len: u8,
    #[bytes(len <= 16)]
    text: &'a [u8],
}

struct Ear {
    pauses: bool,
}

type HubCx<'a> = Cx<'a, u8>;

impl hub::Handler for Ear {
    fn hello(&mut self, _: &mut HubCx<'_>) -> hub::AfterHello {
        hub::AfterHello::Dial { to: "10.0.0.1:7".parse().unwrap() }
    }

    fn dial(&mut self, _: Connected, _: &mut HubCx<'_>) -> hub::AfterDial {
        if self.pauses { hub::AfterDial::Pause } else { hub::AfterDial::Open }
    }

    fn open(&mut self, line: &[u8], cx: &mut HubCx<'_>) -> hub::AfterOpen {
        cx.write(b"c");
        match line {
            b"pair" => hub::AfterOpen::Pair { pairs: 0 },
            _ => hub::AfterOpen::Open,
        }
    }

    fn open_other(&mut self, word: Word<'_>, cx: &mut HubCx<'_>) -> hub::AfterOpen {
        write!(cx, "o{}", String::from_utf8_lossy(word.text));
        hub::AfterOpen::Open
    }

    fn open_message(&mut self, _: u8, cx: &mut HubCx<'_>) -> hub::AfterOpen {
        cx.write(b"m");
        hub::AfterOpen::Open
    }

    fn open_tick(&mut self, cx: &mut HubCx<'_>) -> hub::AfterOpen {
        cx.write(b"t");
        hub::AfterOpen::Open
    }

    fn pair(&mut self, pairs: &mut u8, byte: &[u8; 1], cx: &mut HubCx<'_>) -> hub::AfterPair {
        *pairs += 1;
        cx.other().write(byte);
        hub::AfterPair::Pair
    }

    fn pair_other(&mut self, pairs: &mut u8, line: &[u8], cx: &mut HubCx<'_>) -> hub::AfterPair {
        write!(cx, "{pairs}");
        if line == b"end" { hub::AfterPair::Gone } else { hub::AfterPair::Pair }
    }

    fn quiet(&mut self, cx: &mut HubCx<'_>) -> hub::AfterQuiet {
        cx.write(b"|quiet");
        hub::AfterQuiet::Gone
    }

    fn slow(&mut self, cx: &mut HubCx<'_>) -> hub::AfterSlow {
        cx.write(b"|slow");
        hub::AfterSlow::Gone
    }

    fn silent(&mut self, cx: &mut HubCx<'_>) -> hub::AfterSilent {
        cx.write(b"|silent");
        hub::AfterSilent::Gone
    }

    fn left(&mut self, cx: &mut HubCx<'_>) -> hub::AfterLeft {
        cx.write(b"|left");
        hub::AfterLeft::Gone
    }

    fn ended(&mut self, cx: &mut HubCx<'_>) -> hub::AfterEnded {
        cx.write(b"|ended");
        hub::AfterEnded::Gone
    }

    fn bad(&mut self, cx: &mut HubCx<'_>) -> hub::AfterBad {
        cx.write(b"|bad");
        hub::AfterBad::Gone
    }
}

fn hub(pauses: bool) -> Session<Hub, Ear> {
    let mut peer = Session::new(Ear { pauses });
    peer.accept();
    peer
}

#[test]
fn s2_w2_two_floods_take_turns() {
    let mut peer = hub(true);
    peer.send(&b"\n".repeat(500));
    peer.other().send(&b"\x07\x00".repeat(500));
    assert_eq!(peer.receive(), b"");
    peer.advance(Duration::from_secs(1));
    let heard = peer.receive();
    assert_eq!(heard.len(), 1_000);
    assert!(heard.chunks(2).all(|pair| pair == b"co" || pair == b"oc"), "{heard:?}");
}

#[test]
fn s2_w2_messages_are_heard_between_two_floods() {
    let mut peer = hub(true);
    peer.send(&b"\n".repeat(50));
    peer.other().send(&b"\x07\x00".repeat(50));
    for message in 0..20 {
        peer.post(message).unwrap();
    }
    peer.advance(Duration::from_secs(1));
    let heard = peer.receive();
    assert_eq!(heard.len(), 120);
    // A message comes after each input of the client, and the target has every second turn.
    let begun = String::from_utf8_lossy(&heard[..80]).into_owned();
    for (what, least) in [("c", 15), ("m", 15), ("o", 35)] {
        assert!(begun.matches(what).count() >= least, "{begun}");
    }
}

#[test]
fn s2_w3_both_messages_may_come_in_pieces() {
    let mut peer = hub(false);
    peer.send(b"on");
    peer.other().send(b"\x07\x03a");
    peer.send(b"e");
    peer.post(1).unwrap();
    peer.other().send(b"b");
    assert_eq!(peer.receive(), b"m");
    peer.other().send(b"c\x07");
    peer.send(b"\n");
    assert_eq!(peer.receive(), b"oabcc");
    peer.other().send(b"\x00");
    assert_eq!(peer.receive(), b"o");
}

#[test]
fn s2_w6_the_end_of_each_side_takes_its_own_edge_behind_all_that_precedes_it() {
    for pauses in [true, false] {
        let mut peer = hub(pauses);
        peer.other().send(b"\x07\x01x\x07\x01y\x07");
        peer.other().end();
        peer.advance(Duration::from_secs(1));
        assert_eq!(peer.receive(), b"oxoy|ended");

        let mut peer = hub(pauses);
        peer.send(b"a\nb\nc");
        peer.end();
        peer.advance(Duration::from_secs(1));
        assert_eq!(peer.receive(), b"cc|left");
    }
    let mut peer = hub(false);
    peer.other().reset();
    assert_eq!(peer.receive(), b"|ended");
    let mut peer = hub(false);
    peer.reset();
    assert_eq!(peer.ended(), Some(Ended::Reset));
}

#[test]
fn s2_each_read_has_its_own_refusals() {
    let mut peer = hub(false);
    peer.other().send(b"\x08\x00");
    assert_eq!(peer.receive(), b"|bad");
    let mut peer = hub(false);
    peer.send(&[b'x'; 17]);
    assert_eq!(peer.ended(), Some(Ended::Done));
    let mut peer = hub(false);
    peer.send(b"pair\n");
    peer.other().send(b"much too long");
    assert_eq!(peer.receive(), b"c|bad");
}

#[test]
fn s2_w4_each_idle_counts_from_its_own_read() {
    // The target talks, and the client is silent.
    let mut peer = hub(false);
    for _ in 0..6 {
        peer.advance(Duration::from_secs(10));
        peer.other().send(b"\x07\x00");
    }
    assert_eq!(peer.receive(), b"ootooto|quiet");

    // The client talks, and messages come.
    let mut peer = hub(false);
    for _ in 0..2 {
        peer.advance(Duration::from_secs(10));
        peer.send(b"\n");
        peer.post(1).unwrap();
    }
    peer.advance(Duration::from_secs(10));
    assert_eq!(peer.receive(), b"cmcmt|silent");
}

#[test]
fn s2_t3_a_message_that_has_begun_is_bounded_beside_a_busy_target() {
    let mut peer = hub(false);
    peer.send(b"x");
    for _ in 0..9 {
        peer.advance(Duration::from_secs(1));
        peer.other().send(b"\x07\x00");
    }
    assert_eq!(peer.receive(), b"oooooooo|slow");
}

#[test]
fn s2_a_state_keeps_its_data_and_its_time_whoever_speaks() {
    let mut peer = hub(false);
    peer.send(b"pair\n");
    peer.send(b"ab");
    peer.other().send(b"x\ny");
    peer.send(b"c");
    assert_eq!(peer.other().receive(), b"abc");
    peer.advance(Duration::from_secs(49));
    peer.other().send(b"\n");
    assert_eq!(peer.receive(), b"c23");
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.receive(), b"|quiet");

    let mut peer = hub(false);
    peer.send(b"pair\n");
    peer.other().send(b"end\n");
    assert_eq!(peer.receive(), b"c0");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn s2_the_graph_shows_both_waits_and_whose_events_they_are() {
    let open = Hub::SPEC.states.iter().find(|state| state.name == "Open").unwrap();
    let waits: Vec<String> = open.waits.iter().map(ToString::to_string).collect();
    assert_eq!(
        waits,
        ["read(until = b\"\\n\")", "read(other, frame = Words)", "message", "tick(25s)"]
    );
    let mermaid = Hub::SPEC.mermaid();
    for line in [
        "Open --> Left: eof\n",
        "Open --> Ended: other eof\n",
        "Open --> Silent: other idle 30s\n",
        "Open --> Bad: other refused\n",
    ] {
        assert!(mermaid.contains(line), "{mermaid}");
    }
}

#[test]
fn s2_w2_floods_of_many_turns_share_each_of_them() {
    let mut peer = hub(true);
    peer.send(&b"0123456789abcd\n".repeat(40_000));
    peer.other().send(&b"\x07\x00".repeat(40_000));
    peer.advance(Duration::from_secs(1));
    let heard = peer.receive();
    assert_eq!(heard.len(), 80_000);
    for (at, heard) in heard.chunks(4_000).enumerate() {
        let of_client = String::from_utf8_lossy(heard).matches('c').count();
        assert!((1_500..2_500).contains(&of_client), "{at}: {of_client}");
    }
}

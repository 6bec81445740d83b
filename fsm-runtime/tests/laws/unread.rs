//! Input that is discarded, or left where it is, and the end behind it (G3, W6).

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

/// Refuses a body and reads on behind it.
#[state_machine(start = Head, eof => Gone)]
enum Refusing {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Body)]
    Head,
    #[discard(exact = u64::from(*len), within = 60s => Gone)]
    #[to(Head)]
    Body { len: u8 },
    #[end]
    Gone,
}

struct Heads;

impl refusing::Handler for Heads {
    fn head(&mut self, len: &[u8; 1], cx: &mut Cx<'_>) -> refusing::AfterHead {
        cx.write(len);
        refusing::AfterHead::Body { len: len[0] }
    }
}

#[test]
fn l7_what_is_discarded_counts_however_it_is_cut() {
    let text = b"\x05abcde\x02fg\x00\x01h";
    for first in 0..text.len() {
        for second in first..text.len() {
            let mut peer = Session::<Refusing, _>::new(Heads);
            peer.send(&text[..first]);
            peer.send(&text[first..second]);
            peer.send(&text[second..]);
            assert_eq!(peer.receive(), b"\x05\x02\x00\x01", "{first} {second}");
        }
    }
}

/// Takes bytes when it is told to.
#[state_machine(start = Wait, message = (), eof => Gone)]
enum Told {
    #[message(within = 60s => Gone)]
    #[to(Take)]
    Wait,
    #[read(some, max = 1MiB, within = 60s => Gone)]
    #[to(Take)]
    Take,
    #[end]
    Gone,
}

struct Taker<'a>(&'a mut usize);

impl told::Handler for Taker<'_> {
    fn wait(&mut self, (): (), _: &mut Cx<'_, ()>) -> told::AfterWait {
        told::AfterWait::Take
    }

    fn take(&mut self, bytes: &[u8], _: &mut Cx<'_, ()>) -> told::AfterTake {
        *self.0 += bytes.len();
        told::AfterTake::Take
    }
}

#[test]
fn w6_no_input_is_lost_when_the_peer_has_hung_up() {
    let mut taken = 0;
    let mut peer = Session::<Told, _>::new(Taker(&mut taken));
    peer.send(&vec![b'x'; 300_000]);
    peer.end();
    assert_eq!(peer.state(), Some("Wait"));
    peer.post(()).unwrap();
    assert_eq!(peer.ended(), Some(Ended::Done));
    drop(peer);
    assert_eq!(taken, 300_000);
}

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

//! The turns of a connection that sends a file.

use std::fs::File;
use std::sync::Arc;

use crate::net::readiness::Readiness;
use crate::prelude::*;
use crate::sim::Session;

const MIB: usize = 1 << 20;

/// Sends a file, and goes on or closes.
#[state_machine(start = Ask, eof => Gone)]
enum Sends {
    #[read(exact = 1, idle = 60s => Gone)]
    #[to(Ask | Gone)]
    #[rest]
    Ask,
    #[end]
    Gone,
}

struct Sender(Arc<File>);

impl sends::Handler for Sender {
    fn ask(&mut self, what: &[u8; 1], cx: &mut Cx<'_>) -> sends::AfterAsk {
        cx.send_file(Arc::clone(&self.0), 0..6 * MIB as u64);
        cx.write(b".");
        if what == b"l" { sends::AfterAsk::Gone } else { sends::AfterAsk::Ask }
    }
}

#[test]
fn x4_a_file_leaves_in_several_turns_although_the_peer_takes_it_at_once() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(6 * MIB as u64).unwrap();
    let file = Arc::new(file);
    for (what, end) in [(b"g", None), (b"l", Some(Ended::Done))] {
        let mut peer = Session::<Sends, _>::new(Sender(Arc::clone(&file)));
        peer.feed(what);
        let (mut sent, mut ready) = (Vec::new(), Readiness::READ);
        while peer.turn(ready) {
            sent.push(peer.sent().len());
            ready = Readiness::NONE;
        }
        sent.push(peer.sent().len());
        // In the rounds between the turns the thread polls.
        sent.retain(|sent| *sent > 0);
        assert_eq!(sent, [2 * MIB, 2 * MIB, 2 * MIB + 1]);
        assert_eq!(peer.ended(), end);
    }
}

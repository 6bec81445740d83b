//! A machine that reads datagrams takes no connection of another pool.
//! Plants fsm::E076, fsm::E127.

use fsm_runtime::prelude::*;

#[state_machine(start = Ask, seed = u8)]
//~ #[state_machine(start = Ask)]
enum Clock {
    #[read(datagram, max = 64, idle = 5s => Gone)]
    #[to(Gone)]
    Ask,
    #[end]
    Gone,
}

struct Peer;

impl clock::Handler for Peer {
    fn ask(&mut self, zone: &[u8], cx: &mut Cx<'_>) -> clock::AfterAsk {
        cx.write(zone);
        clock::AfterAsk::Gone
    }
}

fn main() {}

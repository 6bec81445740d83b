//! One state reads a stream where the others read datagrams.
//! Plants fsm::E127.

use fsm_runtime::prelude::*;

#[state_machine(start = Ask)]
enum Clock {
    #[read(datagram, max = 64, idle = 5s => Gone)]
    #[to(Zone | Gone)]
    Ask,
    #[read(some, max = 64, within = 5s => Gone)]
    //~ #[read(datagram, max = 64, within = 5s => Gone)]
    #[to(Gone)]
    Zone,
    #[end]
    Gone,
}

struct Peer;

impl clock::Handler for Peer {
    fn ask(&mut self, _: &[u8], _: &mut Cx<'_>) -> clock::AfterAsk {
        clock::AfterAsk::Zone
    }

    fn zone(&mut self, zone: &[u8], cx: &mut Cx<'_>) -> clock::AfterZone {
        cx.write(zone);
        clock::AfterZone::Gone
    }
}

fn main() {
    let _ = clock::AfterAsk::Gone;
}

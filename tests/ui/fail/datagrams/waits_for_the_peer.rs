//! No peer takes datagrams one after the other, so output waits for nothing.
//! Plants fsm::E127.

use fsm_runtime::prelude::*;

#[state_machine(start = Ask)]
enum Clock {
    #[read(datagram, max = 64, idle = 5s => Gone)]
    #[to(Bye)]
    Ask,
    #[flush(within = 5s => Gone)]
    //~ #[run]
    #[to(Gone)]
    Bye,
    #[end]
    Gone,
}

struct Peer;

impl clock::Handler for Peer {
    fn ask(&mut self, zone: &[u8], cx: &mut Cx<'_>) -> clock::AfterAsk {
        cx.write(zone);
        clock::AfterAsk::Bye
    }

    fn bye(&mut self, _: &mut Cx<'_>) -> clock::AfterBye {
        clock::AfterBye::Gone
    }
}

fn main() {}

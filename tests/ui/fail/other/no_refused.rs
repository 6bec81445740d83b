//! Nothing says where the machine goes when it cannot connect.
//! Plants fsm::E068.

use fsm_runtime::prelude::*;

#[state_machine(start = Hello)]
enum Tunnelling {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(within = 5s => Gone)]
    //~ #[connect(within = 5s => Gone, refused => Gone)]
    #[to(Tunnel)]
    Dial,
    #[relay(max = 64KiB, idle = 1h => Gone, eof = 30s => Gone, gone => Gone)]
    #[to(Gone)]
    Tunnel,
    #[end]
    Gone,
}

struct Client;

impl tunnelling::Handler for Client {
    fn hello(&mut self, _: &mut Cx<'_>) -> tunnelling::AfterHello {
        tunnelling::AfterHello::Dial { to: Target::name("example.org", 80) }
    }

    fn dial(&mut self, _: Connected, _: &mut Cx<'_>) -> tunnelling::AfterDial {
        tunnelling::AfterDial::Tunnel
    }

    fn tunnel(&mut self, _: Moved, _: &mut Cx<'_>) -> tunnelling::AfterTunnel {
        tunnelling::AfterTunnel::Gone
    }
}

fn main() {}

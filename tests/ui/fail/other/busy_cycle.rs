//! A target that refuses would be tried again and again without a pause.
//! Plants fsm::E082.

use fsm_runtime::prelude::*;

#[state_machine(start = Hello)]
enum Tunnelling {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(within = 5s => Gone, refused => Hello)]
    //~ #[connect(within = 5s => Gone, refused => Pause)]
    #[to(Tunnel)]
    Dial,
    #[relay(max = 64KiB, idle = 1h => Gone, eof = 30s => Gone, gone => Gone)]
    #[to(Gone)]
    Tunnel,
    //~+ #[sleep(1s)]
    //~+ #[to(Hello)]
    //~+ Pause,
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

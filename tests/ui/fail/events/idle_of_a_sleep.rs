//! A sleep is its own deadline.
//! Plants fsm::E064.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Nap | Closed)]
    Length,
    #[sleep(1s, idle = 5s => Closed)]
    //~ #[sleep(1s)]
    #[to(Length)]
    Nap,
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Closed
    }
}

fn main() {}

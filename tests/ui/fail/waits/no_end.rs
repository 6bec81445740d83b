//! A machine has no end.
//! Plants fsm::E045.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Sorry)]
enum Upload {
    #[read(exact = 8, within = 30s => Sorry)]
    #[to(Length)]
    //~ #[to(Length | Closed)]
    Length,
    #[sleep(1s)]
    #[to(Length)]
    //~ #[to(Closed)]
    Sorry,
    //~+ #[end]
    //~+ Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Length
    }
}

fn main() {}

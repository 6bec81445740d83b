//! A time with too fine a fraction.
//! Plants fsm::E023.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 0.5ms => Closed)]
    //~ #[read(exact = 8, within = 1ms => Closed)]
    #[to(Closed)]
    Length,
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

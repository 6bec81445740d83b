//! A unit of time that might be another.
//! Plants fsm::E020.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 5m => Closed)]
    //~ #[read(exact = 8, within = 5min => Closed)]
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

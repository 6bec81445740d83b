//! A `writable` has no mark.
//! Plants fsm::E013.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Answer | Closed)]
    Length,
    #[writable(within = 30s => Closed)]
    //~ #[writable(below = 16KiB, within = 30s => Closed)]
    #[to(Answer | Length)]
    Answer,
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Closed
    }

    fn answer(&mut self, _: &mut Cx<'_>) -> upload::AfterAnswer {
        upload::AfterAnswer::Length
    }
}

fn main() {}

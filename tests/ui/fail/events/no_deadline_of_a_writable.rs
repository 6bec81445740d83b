//! Nothing bounds how long a `writable` state may last.
//! Plants fsm::E063.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Answer | Closed)]
    Length,
    #[writable(below = 16KiB)]
    //~ #[writable(below = 16KiB, idle = 30s => Closed)]
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

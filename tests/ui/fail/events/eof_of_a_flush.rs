//! A state that does not read sees no end of stream.
//! Plants fsm::E064.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Sent | Closed)]
    Length,
    #[flush(eof => Closed, within = 30s => Closed)]
    //~ #[flush(within = 30s => Closed)]
    #[to(Length)]
    Sent,
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

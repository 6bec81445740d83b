//! Nothing bounds how long output may take to leave.
//! Plants fsm::E063.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Sent | Closed)]
    Length,
    #[flush]
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

//! The module has the name of the enum.
//! Plants fsm::E036.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, module = Upload)]
//~ #[state_machine(start = Length, eof => Closed, module = upload)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
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

//! The machine starts in a group.
//! Plants fsm::E032.

use fsm_runtime::prelude::*;

#[state_machine(start = All, eof => Closed, All = Length | Closed)]
//~ #[state_machine(start = Length, eof => Closed, All = Length | Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(All)]
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

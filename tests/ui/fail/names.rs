//! rustc finds the names that are none, and says what they were meant to be.

use fsm_runtime::prelude::*;

#[state_machine(start = Lenth, eof => Closd, Live = Length | Bdy)]
enum Upload {
    #[read(exact = 8, within = 30s => Clsed)]
    #[to(Boddy | Live)]
    Length,
    #[flush(within = 30s => Live)]
    #[to(Liv | Closed)]
    Body,
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Body
    }
}

fn main() {}

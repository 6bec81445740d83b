//! A constant for a time is a number.
//! Plants E0308.

use fsm_runtime::prelude::*;

const PATIENCE: u64 = 30;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = PATIENCE => Closed)]
    //~ #[read(exact = 8, within = 30s => Closed)]
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

const _: u64 = PATIENCE;

fn main() {}

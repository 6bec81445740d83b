//! A field of a state at rest cannot be packed for a move to another process.
//! Plants E0277, E0277.

use std::time::Instant;

use fsm_runtime::MovesHandler;
use fsm_runtime::prelude::*;

#[state_machine(start = Name, moves, eof => Gone, limit => Gone, within = 9s => Gone)]
enum Talk {
    #[read(until = b"\n", max = 80)]
    #[to(Line)]
    Name,
    #[read(until = b"\n", max = 80)]
    #[to(Line)]
    #[rest]
    Line { since: Instant },
    //~ Line { since: std::time::Duration },
    #[end]
    Gone,
}

struct Client;

impl MovesHandler for Client {
    fn pack(&self, _: &mut Vec<u8>) {}

    fn unpack(&mut self, _: &mut &[u8]) -> Option<()> {
        Some(())
    }
}

fn main() {}

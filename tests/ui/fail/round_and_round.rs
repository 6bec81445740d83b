//! Cycles that something starts which nothing takes away, and deadlines that bound nothing.

use fsm_runtime::prelude::*;

#[derive(Default)]
struct Word;

impl Frame for Word {
    type Item<'a> = &'a [u8];
    type Error = std::fmt::Error;

    fn decode<'a>(&mut self, _input: &'a [u8]) -> Result<Decoded<&'a [u8]>, std::fmt::Error> {
        Err(std::fmt::Error)
    }
}

#[state_machine(start = Talk, eof => Gone, limit => Gone, within = 10s => Leaving)]
enum Sorry {
    #[read(frame = Word, max = 64, error => Refused)]
    #[to(Talk)]
    Talk,
    #[run]
    #[to(Sent)]
    Refused,
    #[flush]
    #[to(Talk | Leaving)]
    Sent,
    #[flush]
    #[to(Gone)]
    Leaving,
    #[end]
    Gone,
}

#[state_machine(start = Talk, eof => Gone)]
enum Patient {
    #[read(some, max = 64, within = 10s => Talk)]
    #[to(Talk)]
    Talk,
    #[cfg(unix)]
    #[end]
    Extra,
    #[end]
    Gone,
}

fn main() {}

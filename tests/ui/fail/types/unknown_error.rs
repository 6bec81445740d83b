//! The type of errors does not exist.
//! Plants E0425.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, error = Faul, error => Closed)]
//~ #[state_machine(start = Length, eof => Closed, error = Fault, error => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
    #[end]
    Closed,
}

struct Fault;

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a fault")
    }
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> Result<upload::AfterLength, Fault> {
        Ok(upload::AfterLength::Closed)
    }
}

fn main() {}

//! The type of errors and where they lead are two keys.
//! Plants fsm::E017.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, error = String => Closed)]
//~ #[state_machine(start = Length, eof => Closed, error = String, error => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> Result<upload::AfterLength, String> {
        Ok(upload::AfterLength::Closed)
    }
}

fn main() {}

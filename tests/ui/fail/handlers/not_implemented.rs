//! What handles the machine does not.
//! Plants E0277, E0277.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
    #[end]
    Closed,
}

struct Client;
//~+ impl upload::Handler for Client {
//~+     fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
//~+         upload::AfterLength::Closed
//~+     }
//~+ }

fn main() {
    let _ = Session::<Upload, _>::new(Client);
}

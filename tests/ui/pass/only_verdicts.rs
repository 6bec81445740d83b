//! Handlers that need not be written: one verdict, nothing to decide.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Hello)]
enum Greet {
    #[flush(within = 5s => Gone)]
    #[to(Nap)]
    Hello,
    #[sleep(1s)]
    #[to(Gone)]
    Nap,
    #[end]
    Gone,
}

struct Client;

impl greet::Handler for Client {}

fn main() {
    let mut session = Session::<Greet, _>::new(Client);
    assert_eq!(session.state(), Some("Nap"));
    session.advance(std::time::Duration::from_secs(1));
    assert_eq!(session.state(), None);
}

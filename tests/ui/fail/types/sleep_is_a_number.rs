//! How long a state sleeps is a `Duration`.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Nap | Closed)]
    Length,
    #[sleep(seconds, max = 5min)]
    //~ #[sleep(std::time::Duration::from_secs(*seconds), max = 5min)]
    #[to(Length)]
    Nap { seconds: u64 },
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

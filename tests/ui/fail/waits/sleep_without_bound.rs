//! Nothing bounds how long a state sleeps.
//! Plants fsm::E050.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Nap | Closed)]
    Length,
    #[sleep(pause)]
    //~ #[sleep(pause <= 5min)]
    #[to(Length)]
    Nap { pause: std::time::Duration },
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

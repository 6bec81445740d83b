//! Two states would have one handler.
//! Plants fsm::E035.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(TooLong | Too_Long | Closed)]
    //~ #[to(TooLong | FarTooLong | Closed)]
    Length,
    #[flush(within = 30s => Closed)]
    #[to(Closed)]
    TooLong,
    #[flush(within = 30s => Closed)]
    #[to(Closed)]
    Too_Long,
    //~ FarTooLong,
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

//! A verdict gives what is carried already.
//! Plants E0559.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body)]
    Length,
    #[run]
    #[to(Filing)]
    Body { left: u64 },
    #[run]
    #[to(Closed)]
    Filing {
        #[carry]
        left: u64,
        name: u64,
    },
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Body { left: 8 }
    }

    fn body(&mut self, left: &mut u64, _: &mut Cx<'_>) -> upload::AfterBody {
        upload::AfterBody::Filing { left: *left, name: 1 }
        //~ upload::AfterBody::Filing { name: *left }
    }

    fn filing(&mut self, _: &mut u64, _: &mut u64, _: &mut Cx<'_>) -> upload::AfterFiling {
        upload::AfterFiling::Closed
    }
}

fn main() {}

//! A verdict to stay gives the data of the state, which a handler changes in place.
//! Plants E0559.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body)]
    Length,
    #[read(upto = left <= 64KiB, within = 30s => Closed)]
    #[to(Body)]
    Body { left: u64 },
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, length: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Body { left: u64::from_be_bytes(*length) }
    }

    fn body(&mut self, left: &mut u64, bytes: &[u8], _: &mut Cx<'_>) -> upload::AfterBody {
        upload::AfterBody::Body { left: *left - bytes.len() as u64 }
        //~ *left -= bytes.len() as u64;
        //~+ upload::AfterBody::Body
    }
}

fn main() {}

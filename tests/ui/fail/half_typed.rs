//! What is not finished is shown where it is, and the handlers that are there stay.

use fsm_runtime::prelude::*;

const LIMIT: usize = 64;

#[state_machine(start = Head, eof => Gone, limit => Gone, within = 10s => Gone)]
enum Typing {
    #[read(exact = 4)]
    #[to(Body | Rest)]
    Head,
    #[read(exact = left +, max = 1KiB)]
    #[to(Head)]
    Body { left: u32 },
    #[read(some, max = LIMIT *)]
    #[to(Head)]
    Rest,
    #[end]
    Gone,
}

struct Client;

impl typing::Handler for Client {
    fn head(&mut self, _bytes: &[u8; 4], _cx: &mut Cx<'_>) -> typing::AfterHead {
        typing::AfterHead::Rest
    }

    fn body(&mut self, _left: &mut u32, _bytes: &[u8], _cx: &mut Cx<'_>) -> typing::AfterBody {
        typing::AfterBody::Head
    }

    fn rest(&mut self, _bytes: &[u8], _cx: &mut Cx<'_>) -> typing::AfterRest {
        typing::AfterRest::Head
    }
}

fn main() {}

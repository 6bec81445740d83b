//! The stream may end before the number of bytes that a relay passes on.
//! Plants fsm::E060.

use fsm_runtime::prelude::*;

#[state_machine(start = Head, within = 5s => Gone, gone => Gone)]
enum Front {
    #[read(exact = 1, eof => Gone)]
    #[to(Dial)]
    #[rest]
    Head,
    #[connect(refused => Gone)]
    #[to(Body)]
    Dial { length: u8 },
    #[relay(out, exact = length, max = 64KiB, idle = 9s => Gone)]
    //~ #[relay(out, exact = length, max = 64KiB, idle = 9s => Gone, eof => Gone)]
    #[to(Answer)]
    Body {
        #[carry]
        length: u8,
    },
    #[relay(back, max = 64KiB, idle = 9s => Gone)]
    #[to(Gone)]
    Answer,
    #[end]
    Gone,
}

struct Client;

impl front::Handler for Client {
    fn head(&mut self, head: &[u8; 1], _: &mut Cx<'_>) -> front::AfterHead {
        front::AfterHead::Dial { length: head[0], to: Target::name("example.org", 80) }
    }

    fn dial(&mut self, _: &mut u8, _: Connected, _: &mut Cx<'_>) -> front::AfterDial {
        front::AfterDial::Body
    }

    fn body(&mut self, _: &mut u8, _: Moved, _: &mut Cx<'_>) -> front::AfterBody {
        front::AfterBody::Answer
    }

    fn answer(&mut self, _: Moved, _: &mut Cx<'_>) -> front::AfterAnswer {
        front::AfterAnswer::Gone
    }
}

fn main() {}

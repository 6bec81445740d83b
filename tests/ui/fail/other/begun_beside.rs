//! A second read has no clock for what has begun.
//! Plants fsm::E125.

use fsm_runtime::prelude::*;

#[state_machine(start = Hello, eof => Gone, limit => Gone)]
enum Front {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(within = 5s => Gone, refused => Gone)]
    #[to(Open)]
    Dial,
    #[read(until = b"\n", max = 80, within = 60s => Gone)]
    #[read(other, exact = 8, begun = 5s => Gone)]
    //~ #[read(other, exact = 8, idle = 5s => Gone)]
    #[to(Open)]
    Open,
    #[end]
    Gone,
}

struct Client;

impl front::Handler for Client {
    fn hello(&mut self, _: &mut Cx<'_>) -> front::AfterHello {
        front::AfterHello::Dial { to: Target::name("example.org", 80) }
    }

    fn dial(&mut self, _: Connected, _: &mut Cx<'_>) -> front::AfterDial {
        front::AfterDial::Open
    }

    fn open(&mut self, line: &[u8], cx: &mut Cx<'_>) -> front::AfterOpen {
        cx.other().write(line);
        front::AfterOpen::Open
    }

    fn open_other(&mut self, bytes: &[u8; 8], cx: &mut Cx<'_>) -> front::AfterOpen {
        cx.write(bytes);
        front::AfterOpen::Open
    }
}

fn main() {}

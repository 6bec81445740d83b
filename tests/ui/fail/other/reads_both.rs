//! The other socket is read beside what goes out to it.
//! Plants fsm::E041.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone, within = 5s => Gone, gone => Gone)]
enum Front {
    #[read(until = b"\n", max = 80)]
    #[to(Dial)]
    #[rest]
    Line,
    #[connect(refused => Gone)]
    #[to(Answer)]
    Dial,
    #[relay(back, max = 64KiB)]
    #[read(other, until = b"\n", max = 80)]
    //~-
    #[to(Line)]
    Answer,
    #[end]
    Gone,
}

struct Client;

impl front::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> front::AfterLine {
        cx.other().write(line);
        front::AfterLine::Dial { to: Target::name("example.org", 80) }
    }

    fn dial(&mut self, _: Connected, _: &mut Cx<'_>) -> front::AfterDial {
        front::AfterDial::Answer
    }

    fn answer(&mut self, _: Moved, _: &mut Cx<'_>) -> front::AfterAnswer {
        front::AfterAnswer::Line
    }
}

fn main() {}

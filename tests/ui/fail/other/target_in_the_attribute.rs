//! A connect names its target, which the verdict that leads there carries.
//! Plants fsm::E010.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone, within = 5s => Gone)]
enum Front {
    #[read(until = b"\n", max = 80)]
    #[to(Dial)]
    #[rest]
    Line,
    #[connect(to = "example.org:80", refused => Gone)]
    //~ #[connect(refused => Gone)]
    #[to(Answer)]
    Dial,
    #[read(other, until = b"\n", max = 80)]
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

    fn answer(&mut self, line: &[u8], cx: &mut Cx<'_>) -> front::AfterAnswer {
        cx.write(line);
        front::AfterAnswer::Line
    }
}

fn main() {}

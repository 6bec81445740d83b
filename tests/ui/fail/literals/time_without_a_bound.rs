//! A time from the settings has no bound.
//! Plants fsm::E050.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone, settings = Limits)]
enum Talk {
    #[read(until = b"\n", max = 80, idle = settings.idle => Gone)]
    //~ #[read(until = b"\n", max = 80, idle = settings.idle <= 5min => Gone)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

#[derive(Default)]
struct Limits {
    idle: std::time::Duration,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, _: &[u8], _: &mut Cx<'_, NoMessage, Limits>) -> talk::AfterLine {
        talk::AfterLine::Line
    }
}

fn main() {}

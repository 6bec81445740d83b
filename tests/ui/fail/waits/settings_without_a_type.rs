//! An expression names the settings of a machine that has none.
//! Plants fsm::E057.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone)]
//~ #[state_machine(start = Line, eof => Gone, limit => Gone, settings = Limits)]
enum Talk {
    #[read(until = b"\n", max = 80, idle = settings.idle <= 1h => Gone)]
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
    fn line(&mut self, _: &[u8], _: &mut Cx<'_>) -> talk::AfterLine {
    //~ fn line(&mut self, _: &[u8], _: &mut Cx<'_, NoMessage, Limits>) -> talk::AfterLine {
        talk::AfterLine::Line
    }
}

fn main() {}

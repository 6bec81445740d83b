//! A state is in two groups that have a time.
//! Plants fsm::E059.

use fsm_runtime::prelude::*;

#[state_machine(
    start = Line, eof => Gone, limit => Gone, Request = Line | Sent, Answer = Sent | Last,
    //~ start = Line, eof => Gone, limit => Gone, Request = Line | Sent, Answer = Last,
    within(Request) = 1min => Gone,
    within(Answer) = 1min => Gone,
)]
enum Talk {
    #[read(until = b"\n", max = 80)]
    #[to(Sent)]
    Line,
    #[flush]
    #[to(Last)]
    Sent,
    #[flush]
    #[to(Gone)]
    Last,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, _: &[u8], _: &mut Cx<'_>) -> talk::AfterLine {
        talk::AfterLine::Sent
    }
}

fn main() {}

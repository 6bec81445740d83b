//! A handler that is missing, one with other parameters, and a verdict that is not declared: the state and its
//! `to(..)` are shown.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone, idle = 10s => Gone, error = u8, error => Gone)]
enum Talk {
    #[read(until = b"\n", max = 64)]
    #[to(Line | Answer | Pause)]
    Line,
    #[run]
    #[to(Line)]
    Answer { number: u64 },
    #[sleep(1s)]
    #[to(Line | Gone)]
    Pause,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, _bytes: &[u8], _cx: &mut Cx<'_>) -> Result<talk::AfterLine, u8> {
        Ok(talk::AfterLine::Gone)
    }

    fn answer(&mut self, _cx: &mut Cx<'_>) -> Result<talk::AfterAnswer, u8> {
        Ok(talk::AfterAnswer::Line)
    }
}

fn main() {}

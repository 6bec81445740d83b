//! A state has the name of the handler of another one.
//! Plants fsm::E035.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone, message = u8, within = 5min => Gone)]
enum Talk {
    #[read(until = b"\n", max = 80)]
    #[message]
    #[to(Line | LineMessage)]
    //~ #[to(Line | News)]
    Line,
    #[flush]
    #[to(Line)]
    LineMessage,
    //~ News,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_, u8>) -> talk::AfterLine {
        if line.is_empty() {
            return talk::AfterLine::LineMessage;
            //~ return talk::AfterLine::News;
        }
        talk::AfterLine::Line
    }
    //~+
    //~+ fn line_message(&mut self, _: u8, _: &mut Cx<'_, u8>) -> talk::AfterLine {
    //~+     talk::AfterLine::Line
    //~+ }
}

fn main() {}

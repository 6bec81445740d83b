//! A state waits for input and for a message.
//! Plants fsm::E041.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, message = u32, eof => Closed, within = 30s => Closed)]
enum Chat {
    #[read(until = b"\n", max = 1KiB, limit => Closed)]
    #[message]
    //~-
    #[to(Line)]
    //~ #[to(Line | News)]
    Line,
    //~+ #[message]
    //~+ #[to(Line | Closed)]
    //~+ News,
    #[end]
    Closed,
}

struct Client;

impl chat::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_, u32>) -> chat::AfterLine {
        match line {
            b"news" => chat::AfterLine::Line,
            //~ b"news" => chat::AfterLine::News,
            _ => chat::AfterLine::Line,
        }
    }
    //~+
    //~+ fn news(&mut self, _: u32, _: &mut Cx<'_, u32>) -> chat::AfterNews {
    //~+     chat::AfterNews::Line
    //~+ }
}

fn main() {}

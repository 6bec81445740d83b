//! The machine that is called serves connections, and its caller is written in full.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, idle = 5min => Gone)]
    #[to(Asking)]
    Line,
    #[call(Echo, within = 1min => Gone, gone => Gone)]
    //~ #[call(Index, within = 1min => Gone, gone => Gone)]
    #[to(Line)]
    Asking,
    #[end]
    Gone,
}

#[state_machine(start = All, eof => Gone)]
enum Echo {
    #[read(some, max = 1KiB, idle = 5min => Gone)]
    #[to(All)]
    All,
    #[end]
    Gone,
}

struct Index;

impl Service for Index {
    type Job = Vec<u8>;
    type Reply = u64;
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> talk::AfterLine {
        talk::AfterLine::Asking { job: line.to_vec() }
    }

    fn asking(&mut self, reply: u64, cx: &mut Cx<'_>) -> talk::AfterAsking {
        cx.write(&reply.to_be_bytes());
        talk::AfterAsking::Line
    }
}

impl echo::Handler for Client {
    fn all(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterAll {
        cx.write(bytes);
        echo::AfterAll::All
    }
}

fn main() {}

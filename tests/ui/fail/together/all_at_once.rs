//! All findings of one build are reported together, each once, at the token to change; what uses the machine
//! compiles all the same.
//! Plants fsm::E010, fsm::E011, fsm::E012, fsm::E020, fsm::E020, fsm::E034, fsm::E046, fsm::E064, fsm::E072, E0599, E0599.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Line, limt => Gone, idle = 5m => Gone, error = Fault)]
//~ #[state_machine(start = Line, limit => Gone, idle = 5min => Gone, error = Fault, error => Gone)]
pub enum Talk {
    /// Waits for a line.
    #[read(until = b"\n", max = 64KB, limit => Long, eof => Gon)]
    //~ #[read(until = b"\n", max = 64KiB, eof => Gone)]
    #[to(Line | Bdy | Line)]
    //~ #[to(Line | Body | Long)]
    Line,
    #[read(upto = left, max = 1KiB)]
    //~ #[read(upto = left, max = 1KiB, eof => Gone)]
    #[to(Body)]
    //~ #[to(Body | Line | Other)]
    #[to(Line)]
    //~-
    Body { left: u64 },
    #[raed(exact = 2)]
    //~ #[read(exact = 2, eof => Gone)]
    #[to(Gone)]
    Other,
    #[run(within = 5s => Gone)]
    //~ #[run]
    #[to(Gone)]
    #[rest]
    //~-
    Long { why: u8 },
    #[end]
    Gone,
}

#[derive(Debug)]
pub struct Fault;

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("fault")
    }
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> Result<talk::AfterLine, Fault> {
        cx.write(bytes);
        Ok(talk::AfterLine::Body { left: 1 })
    }

    fn body(
        &mut self,
        left: &mut u64,
        bytes: &[u8],
        _: &mut Cx<'_>,
    ) -> Result<talk::AfterBody, Fault> {
        *left -= bytes.len() as u64;
        Ok(talk::AfterBody::Body)
    }

    fn other(&mut self, _: &[u8; 2], _: &mut Cx<'_>) -> Result<talk::AfterOther, Fault> {
        Ok(talk::AfterOther::Gone)
    }

    fn long(&mut self, _: &mut u8, _: &mut Cx<'_>) -> Result<talk::AfterLong, Fault> {
        Ok(talk::AfterLong::Gone)
    }
}

fn main() {
    let _ = Session::<Talk, _>::new(Client);
    let _ = Talk::SPEC.states[Talk::start(()).state()];
}

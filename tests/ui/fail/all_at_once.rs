//! All findings of one build are reported together, each at the token to change; what uses the
//! machine compiles all the same.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Line, limt => Gone, idle = 5m => Gone, error = Fault)]
pub enum Talk {
    /// Waits for a line.
    #[read(until = b"\n", max = 64KB, limit => Long, eof => Gon)]
    #[to(Line | Bdy | Line)]
    Line,
    #[read(upto = left, max = 1KiB)]
    #[to(Body)]
    #[to(Line)]
    Body { left: u64 },
    #[raed(exact = 2)]
    #[to(Gone)]
    Other,
    #[run(within = 5s => Gone)]
    #[to(Gone)]
    #[rest]
    Long { why: u8 },
    #[end]
    Gone,
}

#[derive(Debug)]
pub struct Fault;

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

    fn long(&mut self, _: &mut u8, _: &mut Cx<'_>) -> Result<talk::AfterLong, Fault> {
        Ok(talk::AfterLong::Gone)
    }
}

fn main() {
    let _ = Session::<Talk, _>::new(Client);
    let _ = Talk::SPEC.states[Talk::start().state()];
}

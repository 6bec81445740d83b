//! The handler that has taken the job fails, and nothing replies to it.
//! Plants fsm::E078.

use fsm_runtime::prelude::*;

#[state_machine(start = Free, job = String, reply = Option<Vec<u8>>, error = std::num::ParseIntError, eof => Lost, limit => Lost)]
enum Asking {
    #[job(idle = 60s => Gone, eof => Gone, error => Gone)]
    //~ #[job(idle = 60s => Gone, eof => Gone, error => Lost)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(until = b"\n", max = 1KiB, within = 20s => Lost)]
    #[to(Free)]
    Answer,
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}

struct Client;

impl asking::Handler for Client {
    fn free(&mut self, job: String, cx: &mut Cx<'_>) -> Result<asking::AfterFree, std::num::ParseIntError> {
        writeln!(cx, "{}", job.parse::<u8>()?);
        Ok(asking::AfterFree::Answer)
    }

    fn answer(&mut self, line: &[u8], _: &mut Cx<'_>) -> asking::AfterAnswer {
        asking::AfterAnswer::Free { reply: Some(line.to_vec()) }
    }

    fn lost(&mut self, _: &mut Cx<'_>) -> asking::AfterLost {
        asking::AfterLost::Gone { reply: None }
    }
}

fn main() {}

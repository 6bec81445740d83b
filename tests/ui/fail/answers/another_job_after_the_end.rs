//! The server has ended its stream, and the connection would take another job.
//! Plants fsm::E122.

use fsm_runtime::prelude::*;

#[state_machine(start = Free, job = String, reply = Option<Vec<u8>>, limit => Lost)]
enum Asking {
    #[job(idle = 60s => Gone, eof => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(until = b"\n", max = 1KiB, eof => Ended, within = 20s => Lost)]
    #[to(Free)]
    Answer,
    #[run]
    #[to(Free)]
    //~ #[to(Gone)]
    Ended,
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}

struct Client;

impl asking::Handler for Client {
    fn free(&mut self, job: String, cx: &mut Cx<'_>) -> asking::AfterFree {
        writeln!(cx, "{job}");
        asking::AfterFree::Answer
    }

    fn answer(&mut self, line: &[u8], _: &mut Cx<'_>) -> asking::AfterAnswer {
        asking::AfterAnswer::Free { reply: Some(line.to_vec()) }
    }

    fn ended(&mut self, _: &mut Cx<'_>) -> asking::AfterEnded {
        asking::AfterEnded::Free { reply: None }
        //~ asking::AfterEnded::Gone { reply: None }
    }

    fn lost(&mut self, _: &mut Cx<'_>) -> asking::AfterLost {
        asking::AfterLost::Gone { reply: None }
    }
}

fn main() {}

//! An answer is too long, and the next job would get the rest of it.
//! Plants fsm::E122.

use fsm_runtime::prelude::*;

#[state_machine(start = Free, job = String, reply = Option<Vec<u8>>, eof => Lost)]
enum Asking {
    #[job(idle = 60s => Gone, eof => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(until = b"\n", max = 1KiB, limit => TooLong, within = 20s => Lost)]
    #[to(Free)]
    Answer,
    #[run]
    #[to(Free)]
    //~ #[to(Gone)]
    TooLong,
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

    fn too_long(&mut self, _: &mut Cx<'_>) -> asking::AfterTooLong {
        asking::AfterTooLong::Free { reply: None }
        //~ asking::AfterTooLong::Gone { reply: None }
    }

    fn lost(&mut self, _: &mut Cx<'_>) -> asking::AfterLost {
        asking::AfterLost::Gone { reply: None }
    }
}

fn main() {}

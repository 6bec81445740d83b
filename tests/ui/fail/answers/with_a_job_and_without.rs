//! The greeting of a server that is late leads to the state that replies to a job.
//! Plants fsm::E121.

use fsm_runtime::prelude::*;

#[state_machine(start = Hello, job = String, reply = Option<Vec<u8>>, eof => Lost, limit => Lost)]
enum Asking {
    #[read(until = b"\n", max = 1KiB, within = 20s => Lost)]
    //~ #[read(until = b"\n", max = 1KiB, eof => Gone, limit => Gone, within = 20s => Gone)]
    #[to(Free)]
    Hello,
    #[job(idle = 60s => Gone, eof => Gone)]
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
    fn hello(&mut self, _: &[u8], _: &mut Cx<'_>) -> asking::AfterHello {
        asking::AfterHello::Free
    }

    fn free(&mut self, job: String, cx: &mut Cx<'_>) -> asking::AfterFree {
        writeln!(cx, "{job}");
        asking::AfterFree::Answer
    }

    fn answer(&mut self, line: &[u8], _: &mut Cx<'_>) -> asking::AfterAnswer {
        asking::AfterAnswer::Free { reply: Some(line.to_vec()) }
    }

    fn lost(&mut self, _: &mut Cx<'_>) -> asking::AfterLost {
        asking::AfterLost::Gone { reply: None }
    }
}

fn main() {}

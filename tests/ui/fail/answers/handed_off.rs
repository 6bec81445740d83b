//! A connection that answers jobs is handed off to another pool.
//! Plants fsm::E123.

use fsm_runtime::prelude::*;

#[state_machine(start = Free, job = String, reply = Option<Vec<u8>>, eof => Lost, limit => Lost)]
enum Asking {
    #[job(idle = 60s => Leaving, eof => Gone)]
    //~ #[job(idle = 60s => Gone, eof => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(until = b"\n", max = 1KiB, within = 20s => Lost)]
    #[to(Free)]
    Answer,
    #[run]
    #[to(Gone)]
    Lost,
    #[run]
    //~-
    #[to(Away)]
    //~-
    Leaving,
    //~-
    #[handoff(Events, within = 10s => Gone, gone => Gone)]
    //~-
    Away,
    //~-
    #[end]
    Gone,
}

#[state_machine(start = Hello, seed = u8, eof => Gone)]
enum Events {
    #[read(some, max = 1KiB, within = never)]
    #[to(Hello)]
    Hello { topic: u8 },
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

    fn leaving(&mut self, _: &mut Cx<'_>) -> asking::AfterLeaving {
        //~-
        asking::AfterLeaving::Away { seed: 1 }
        //~-
    }
    //~-

    fn lost(&mut self, _: &mut Cx<'_>) -> asking::AfterLost {
        asking::AfterLost::Gone { reply: None }
    }
}

fn main() {}

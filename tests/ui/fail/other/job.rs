//! A job has no connection, so nothing joins it to another one.
//! Plants fsm::E055.

use fsm_runtime::prelude::*;

#[state_machine(start = Ask, job = String, reply = Option<Vec<u8>>)]
//~ #[state_machine(start = Free, job = String, reply = Option<Vec<u8>>, eof => Lost, limit => Lost)]
enum Asking {
    //~+ #[job(idle = 60s => Gone, eof => Gone)]
    //~+ #[to(Answer)]
    //~+ #[rest]
    //~+ Free,
    #[run]
    //~-
    #[to(Dial)]
    //~-
    Ask { text: String },
    //~-
    #[connect(within = 5s => Lost, refused => Lost)]
    //~ #[read(until = b"\n", max = 1KiB, within = 5s => Lost)]
    #[to(Gone)]
    Dial,
    //~ Answer,
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}

struct Client;

impl asking::Handler for Client {
    //~+ fn free(&mut self, job: String, cx: &mut Cx<'_>) -> asking::AfterFree {
    //~+     writeln!(cx, "{job}");
    //~+     asking::AfterFree::Answer
    //~+ }
    //~+
    fn ask(&mut self, _: &mut String, _: &mut JobCx<'_>) -> asking::AfterAsk {
        //~-
        asking::AfterAsk::Dial { to: Target::name("example.org", 80) }
        //~-
    }
    //~-
    fn dial(&mut self, _: Connected, _: &mut JobCx<'_>) -> asking::AfterDial {
        //~ fn answer(&mut self, line: &[u8], _: &mut Cx<'_>) -> asking::AfterAnswer {
        asking::AfterDial::Gone { reply: None }
        //~ asking::AfterAnswer::Gone { reply: Some(line.to_vec()) }
    }

    fn lost(&mut self, _: &mut JobCx<'_>) -> asking::AfterLost {
        //~ fn lost(&mut self, _: &mut Cx<'_>) -> asking::AfterLost {
        asking::AfterLost::Gone { reply: None }
    }
}

fn main() {}

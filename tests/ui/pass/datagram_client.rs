//! A client over datagrams: an answer may be late, because its id tells which question it is for.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Free, job = u8, reply = Option<u8>)]
enum Asks {
    #[job(idle = 50s => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(datagram, max = 64, within = 1s => Again)]
    #[to(Answer | Free)]
    Answer { asked: u8 },
    #[run]
    #[to(Answer | Free | Gone)]
    Again {
        #[carry]
        asked: u8,
    },
    #[end]
    Gone,
}

struct Asker;

impl asks::Handler for Asker {
    fn free(&mut self, job: u8, cx: &mut Cx<'_>) -> asks::AfterFree {
        cx.write(&[job]);
        asks::AfterFree::Answer { asked: job }
    }

    fn answer(&mut self, asked: &mut u8, answer: &[u8], _: &mut Cx<'_>) -> asks::AfterAnswer {
        match answer.first() {
            Some(id) if id == asked => asks::AfterAnswer::Free { reply: Some(*id) },
            _ => asks::AfterAnswer::Answer,
        }
    }

    fn again(&mut self, asked: &mut u8, cx: &mut Cx<'_>) -> asks::AfterAgain {
        match asked {
            0 => asks::AfterAgain::Gone { reply: None },
            1 => asks::AfterAgain::Free { reply: None },
            _ => {
                cx.write(&[*asked]);
                asks::AfterAgain::Answer { asked: *asked }
            }
        }
    }
}

fn main() {
    assert!(Asks::SPEC.states[0].rest);
    let mut server = Session::<Asks, _>::new(Asker);
    let reply = server.submit(5).ok().unwrap();
    assert_eq!(server.receive(), [5]);
    server.send(&[4]);
    server.send(&[5]);
    assert_eq!(reply.wait(), Some(Some(5)));
}

//! What leads out of a pool, under a condition: a derive reads it.

use fsm_runtime::prelude::*;
use fsm_runtime::{Trigger, Wait};

#[state_machine(start = Digest, job = Vec<u8>, reply = u64)]
enum Index {
    #[cfg_attr(all(), run(blocking))]
    #[cfg_attr(any(), run)]
    #[to(Done)]
    Digest {
        document: Vec<u8>,
        #[cfg(any())]
        more: u8,
    },
    #[end]
    Done,
}

#[state_machine(start = Line, eof => Gone, within = 1s => Gone, gone => Gone)]
enum Front {
    #[read(some, max = 64)]
    #[cfg_attr(all(), to(Filing | Leaving))]
    #[cfg_attr(any(), to(Filing))]
    Line,
    #[cfg_attr(all(), call(Index, full => Busy))]
    #[cfg_attr(any(), call(Index))]
    #[to(Line)]
    Filing,
    #[cfg(all())]
    #[sleep(1s)]
    #[to(Filing)]
    Busy {
        #[cfg_attr(all(), job)]
        document: Vec<u8>,
    },
    #[handoff(Events, full => Refused)]
    Leaving,
    #[flush]
    #[to(Line)]
    Refused {
        #[seed]
        topic: String,
    },
    #[end]
    Gone,
}

#[state_machine(start = Hello, seed = String)]
enum Events {
    #[flush(within = 1s => Gone)]
    #[to(Gone)]
    Hello {
        #[cfg(all())]
        topic: String,
        #[cfg(any())]
        topic: Vec<u8>,
    },
    #[cfg(all())]
    #[end]
    Gone,
}

struct Client;

impl front::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> front::AfterLine {
        match line {
            [b'-', topic @ ..] => {
                front::AfterLine::Leaving { seed: String::from_utf8_lossy(topic).into_owned() }
            }
            line => front::AfterLine::Filing { job: line.to_vec() },
        }
    }

    fn filing(&mut self, place: u64, cx: &mut Cx<'_>) -> front::AfterFiling {
        write!(cx, "{place}");
        front::AfterFiling::Line
    }

    fn busy(&mut self, document: &mut Vec<u8>, _: &mut Cx<'_>) -> front::AfterBusy {
        front::AfterBusy::Filing { job: std::mem::take(document) }
    }

    fn refused(&mut self, topic: &mut String, cx: &mut Cx<'_>) -> front::AfterRefused {
        cx.write(topic.as_bytes());
        front::AfterRefused::Line
    }
}

impl index::Handler for Client {
    fn digest(&mut self, document: &mut Vec<u8>, _: &mut JobCx<'_>) -> index::AfterDigest {
        index::AfterDigest::Done { reply: document.len() as u64 }
    }
}

impl events::Handler for Client {}

fn main() {
    assert_eq!(Index::SPEC.states[0].waits, [Wait::Run { blocking: true }]);
    assert_eq!(Front::SPEC.states[1].waits, [Wait::Call { pool: "Index" }]);
    assert!(Front::SPEC.states[1].edges.iter().any(|edge| edge.on == Trigger::Full));
    assert_eq!(Front::routes().len(), 2);
    assert!(matches!(Events::start("x".to_owned()), Events::Hello { topic } if topic == "x"));
    drop(Client);
}

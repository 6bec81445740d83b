//! Several pools: calls, jobs and their replies, hand-offs and their seeds, and what comes back from
//! a full pool.

use fsm_runtime::prelude::*;
use fsm_runtime::{JobMachine, Trigger, Starts, Wait};

/// Takes documents, has them filed, and hands over who wants to watch.
#[state_machine(start = Line, eof => Closed, limit => Closed, within = 5min => Closed, gone => Sorry)]
pub enum Upload {
    #[read(until = b"\n", max = 1KiB)]
    #[to(Filing | Watching | Closed)]
    #[rest]
    Line,
    /// The index has the document.
    #[call(Index, within = 1min => Late, full => Busy)]
    #[to(Filing | Looking | Sent | Watching)]
    Filing { name: String, tries: u32 },
    /// Waits for room, however long.
    #[call(workers::Lookup<8>, within = never, gone => Closed)]
    #[to(Sent)]
    Looking {
        #[carry]
        name: String,
    },
    /// Says that it took too long.
    #[run]
    #[to(Sent)]
    Late {
        #[carry]
        name: String,
    },
    /// Tries again, a little later, with what came back.
    #[sleep(10ms)]
    #[to(Filing)]
    Busy {
        #[carry]
        name: String,
        #[carry]
        tries: u32,
        #[job]
        document: Document,
    },
    /// Leaves for good.
    #[handoff(Events, within = 5s => Sorry, full => Refused)]
    Watching { topic: String },
    #[handoff(Events, within = 5s => Sorry)]
    Again,
    #[flush]
    #[to(Again | Sent)]
    Refused {
        #[seed]
        topic: Topic,
    },
    #[run]
    #[to(Sent)]
    Sorry,
    #[flush]
    #[to(Line)]
    Sent,
    #[end]
    Closed,
}

mod workers {
    /// Looks up names.
    pub struct Lookup<const N: usize>;

    impl<const N: usize> fsm_runtime::Service for Lookup<N> {
        type Job = [u8; N];
        type Reply = Option<String>;
    }
}

/// A document to file.
pub struct Document(Vec<u8>);

/// Where it is.
pub struct Filed(u64);

/// What is watched.
#[derive(Debug, PartialEq)]
pub struct Topic(String);

/// Files documents.
#[state_machine(start = Digest, job = Document, reply = Filed, message = u32)]
pub enum Index {
    #[run(blocking)]
    #[to(Store | Done)]
    Digest { document: Document },
    #[call(workers::Lookup<4>, within = 1s => Failed, gone => Failed)]
    #[to(Store | Settle | Done)]
    Store { digest: u64 },
    #[sleep(1s)]
    #[to(Told)]
    Settle,
    #[message(within = 1s => Failed)]
    #[to(Done)]
    Told,
    #[run]
    #[to(Done)]
    Failed,
    #[end]
    Done,
}

/// Sends what happens.
#[state_machine(start = Hello, seed = Topic, eof => Gone)]
pub enum Events {
    #[flush(within = 1s => Gone)]
    #[to(Listen)]
    Hello { topic: Topic },
    #[read(some, max = 16, within = never)]
    #[to(Listen)]
    Listen {
        #[carry]
        topic: Topic,
    },
    #[end]
    Gone,
}

struct Client;

impl upload::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> upload::AfterLine {
        let name = String::from_utf8_lossy(line).into_owned();
        match line {
            b"" => upload::AfterLine::Closed,
            b"watch" => upload::AfterLine::Watching { seed: Topic(name.clone()), topic: name },
            _ => upload::AfterLine::Filing { job: Document(line.to_vec()), name, tries: 0 },
        }
    }

    fn filing(
        &mut self,
        name: &mut String,
        tries: &mut u32,
        Filed(place): Filed,
        cx: &mut Cx<'_>,
    ) -> upload::AfterFiling {
        *tries += 1;
        match place {
            0 => upload::AfterFiling::Filing { job: Document(name.clone().into_bytes()) },
            1 => upload::AfterFiling::Looking { job: *b"12345678" },
            2 => upload::AfterFiling::Watching { seed: Topic(name.clone()), topic: name.clone() },
            place => {
                write!(cx, "{place}");
                upload::AfterFiling::Sent
            }
        }
    }

    fn looking(
        &mut self,
        name: &mut String,
        reply: Option<String>,
        cx: &mut Cx<'_>,
    ) -> upload::AfterLooking {
        write!(cx, "{name} is {reply:?}");
        upload::AfterLooking::Sent
    }

    fn late(&mut self, _: &mut String, _: &mut Cx<'_>) -> upload::AfterLate {
        upload::AfterLate::Sent
    }

    fn busy(
        &mut self,
        name: &mut String,
        tries: &mut u32,
        document: &mut Document,
        _: &mut Cx<'_>,
    ) -> upload::AfterBusy {
        let job = Document(std::mem::take(&mut document.0));
        upload::AfterBusy::Filing { job, name: std::mem::take(name), tries: *tries }
    }

    fn refused(&mut self, topic: &mut Topic, _: &mut Cx<'_>) -> upload::AfterRefused {
        match topic.0.as_str() {
            "" => upload::AfterRefused::Sent,
            _ => upload::AfterRefused::Again { seed: Topic(topic.0.clone()) },
        }
    }

    fn sorry(&mut self, cx: &mut Cx<'_>) -> upload::AfterSorry {
        cx.write(b"sorry");
        upload::AfterSorry::Sent
    }
}

struct Indexer;

impl index::Handler for Indexer {
    fn digest(&mut self, document: &mut Document, _: &mut JobCx<'_, u32>) -> index::AfterDigest {
        match document.0.len() {
            0 => index::AfterDigest::Done { reply: Filed(0) },
            digest => index::AfterDigest::Store { job: *b"1234", digest: digest as u64 },
        }
    }

    fn store(
        &mut self,
        digest: &mut u64,
        reply: Option<String>,
        cx: &mut JobCx<'_, u32>,
    ) -> index::AfterStore {
        match reply {
            None => index::AfterStore::Store { job: *b"4321" },
            Some(text) if text.is_empty() => index::AfterStore::Settle,
            Some(text) => {
                cx.warn(text);
                index::AfterStore::Done { reply: Filed(*digest) }
            }
        }
    }

    fn told(&mut self, message: u32, _: &mut JobCx<'_, u32>) -> index::AfterTold {
        index::AfterTold::Done { reply: Filed(message.into()) }
    }

    fn failed(&mut self, _: &mut JobCx<'_, u32>) -> index::AfterFailed {
        index::AfterFailed::Done { reply: Filed(0) }
    }
}

struct Watcher;

impl events::Handler for Watcher {
    fn listen(&mut self, topic: &mut Topic, _: &[u8], cx: &mut Cx<'_>) -> events::AfterListen {
        writeln!(cx, "{}", topic.0);
        events::AfterListen::Listen
    }
}

fn is_a_job<M: JobMachine<Job = Document, Reply = Filed> + Drive<H>, H>(_: H) {}

fn main() {
    is_a_job::<Index, _>(Indexer);
    assert!(matches!(Upload::start(()), Upload::Line));
    assert!(
        matches!(Events::start(Topic("a".into())), Events::Hello { topic } if topic.0 == "a")
    );
    let Index::Digest { document } = Index::start(Document(vec![1])) else { unreachable!() };
    assert_eq!(document.0, [1]);

    let starts = [Upload::SPEC.starts, Index::SPEC.starts, Events::SPEC.starts];
    assert_eq!(starts, [Starts::Connection, Starts::Job, Starts::Seed]);
    let waits: Vec<Wait> = Upload::SPEC.states.iter().map(|state| state.waits[0]).collect();
    assert_eq!(waits[1], Wait::Call { pool: "Index" });
    assert_eq!(waits[2], Wait::Call { pool: "workers::Lookup<8>" });
    assert_eq!(waits[5], Wait::HandOff { pool: "Events" });
    assert_eq!(Index::SPEC.states[0].waits, [Wait::Run { blocking: true }]);
    let out = |state: usize| {
        let edges = Upload::SPEC.states[state].edges.iter();
        let out = edges.filter(|edge| matches!(edge.on, Trigger::Full | Trigger::Gone));
        out.map(|edge| (edge.on, Upload::SPEC.states[edge.target].name)).collect::<Vec<_>>()
    };
    assert_eq!(out(1), [(Trigger::Full, "Busy"), (Trigger::Gone, "Sorry")]);
    assert_eq!(out(2), [(Trigger::Gone, "Closed")]);

    let routes = [Upload::routes(), Index::routes(), Events::routes()];
    assert_eq!(routes.map(|routes| routes.len()), [4, 1, 0]);
    drop((Client, Watcher));
}

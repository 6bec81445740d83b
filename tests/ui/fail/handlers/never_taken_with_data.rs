//! Edges are declared and never taken: to states with data, to other pools, and to the end of a job.
//! Plants syntax, syntax, syntax.
#![deny(dead_code)]

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Line, eof => Closed, within = 30s => Closed, gone => Closed)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, limit => Plain)]
    #[to(Line | Plain | Bad)]
    //~ #[to(Line | Bad)]
    Line,
    #[flush]
    #[to(Bad | Asking | Leaving | Closed)]
    //~ #[to(Asking | Leaving)]
    Plain,
    #[run]
    #[to(Closed)]
    Bad { why: u8 },
    #[call(Index)]
    #[to(Plain)]
    Asking,
    #[handoff(Events)]
    Leaving,
    #[end]
    Closed,
}

#[state_machine(start = Digest, job = u8, reply = u64)]
enum Index {
    #[run]
    #[to(Late | Done)]
    //~ #[to(Late)]
    Digest { document: u8 },
    #[sleep(1s)]
    #[to(Done)]
    Late,
    #[end]
    Done,
}

#[state_machine(start = Hello, seed = u8)]
enum Events {
    #[run]
    #[to(Gone)]
    Hello { topic: u8 },
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> talk::AfterLine {
        match line {
            [] => talk::AfterLine::Line,
            [..] => talk::AfterLine::Line,
            //~ [why, ..] => talk::AfterLine::Bad { why: *why },
        }
    }

    fn plain(&mut self, cx: &mut Cx<'_>) -> talk::AfterPlain {
        match cx.queued() {
            0 => talk::AfterPlain::Closed,
            //~ 0 => talk::AfterPlain::Asking { job: 0 },
            _ => talk::AfterPlain::Bad { why: 0 },
            //~ _ => talk::AfterPlain::Leaving { seed: 0 },
        }
    }

    fn bad(&mut self, _: &mut u8, _: &mut Cx<'_>) -> talk::AfterBad {
        talk::AfterBad::Closed
    }

    fn asking(&mut self, _: u64, _: &mut Cx<'_>) -> talk::AfterAsking {
        talk::AfterAsking::Plain
    }
}

struct Indexer;

impl index::Handler for Indexer {
    fn digest(&mut self, _: &mut u8, _: &mut JobCx<'_>) -> index::AfterDigest {
        index::AfterDigest::Late
    }

    fn late(&mut self, _: &mut JobCx<'_>) -> index::AfterLate {
        index::AfterLate::Done { reply: 0 }
    }
}

struct Watcher;

impl events::Handler for Watcher {
    fn hello(&mut self, _: &mut u8, _: &mut Cx<'_>) -> events::AfterHello {
        events::AfterHello::Gone
    }
}

fn is_handled<M: Drive<H>, H>(_: H) {}

fn main() {
    let _ = Session::<Talk, _>::new(Client);
    is_handled::<Index, _>(Indexer);
    is_handled::<Events, _>(Watcher);
}

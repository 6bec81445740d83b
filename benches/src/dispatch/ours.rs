use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;
use fsm_runtime::{Input, Step};

use super::{Event, Tally};

/// Its events are two bytes each: what it is, and a number.
#[state_machine(start = Idle, eof => Closed)]
enum Connection {
    #[read(exact = 2, idle = 60s => Closed)]
    #[to(Reading | Closed)]
    #[rest]
    Idle,
    #[read(exact = 2, within = 30s => Closed)]
    #[to(Reading | Writing | Closed)]
    Reading { left: u8 },
    #[read(exact = 2, within = 30s => Closed)]
    #[to(Idle | Closed)]
    Writing,
    #[end]
    Closed,
}

const REQUEST: u8 = 0;
const CHUNK: u8 = 1;
const FLUSHED: u8 = 2;
const CLOSE: u8 = 3;

struct Counter {
    sum: u64,
}

impl connection::Handler for Counter {
    fn idle(&mut self, event: &[u8; 2], _: &mut Cx<'_>) -> connection::AfterIdle {
        let [REQUEST, chunks] = *event else { return connection::AfterIdle::Closed };
        self.sum += u64::from(chunks);
        connection::AfterIdle::Reading { left: chunks }
    }

    fn reading(
        &mut self,
        left: &mut u8,
        event: &[u8; 2],
        _: &mut Cx<'_>,
    ) -> connection::AfterReading {
        let [CHUNK, number] = *event else { return connection::AfterReading::Closed };
        self.sum += u64::from(number);
        *left -= 1;
        if *left > 0 { connection::AfterReading::Reading } else { connection::AfterReading::Writing }
    }

    fn writing(&mut self, event: &[u8; 2], _: &mut Cx<'_>) -> connection::AfterWriting {
        let [FLUSHED, _] = *event else { return connection::AfterWriting::Closed };
        self.sum += 1;
        connection::AfterWriting::Idle
    }
}

/// Only a port has a [`Cx`], so the loop runs in a handler of a machine that does nothing else.
#[state_machine(start = Start, eof => Done)]
enum Lender {
    #[read(exact = 1, within = 60s => Done)]
    #[to(Done)]
    Start,
    #[end]
    Done,
}

struct Bench<'a> {
    bytes: &'a [u8],
    rounds: u64,
    tally: &'a mut Tally,
}

impl lender::Handler for Bench<'_> {
    fn start(&mut self, _: &[u8; 1], cx: &mut Cx<'_>) -> lender::AfterStart {
        *self.tally = drive(self.bytes, self.rounds, cx);
        lender::AfterStart::Done
    }
}

#[inline(never)]
fn drive(bytes: &[u8], rounds: u64, cx: &mut Cx<'_>) -> Tally {
    let mut counter = Counter { sum: 0 };
    let mut closed = 0;
    let mut connection = Connection::start(());
    for _ in 0..rounds {
        let mut input = Input::new(bytes);
        loop {
            match connection.resume(&mut counter, &mut input, cx) {
                Step::End => {
                    closed += 1;
                    connection = Connection::start(());
                }
                Step::Read => break,
                _ => {}
            }
        }
    }
    Tally { sum: counter.sum, closed }
}

pub(super) fn run(events: &[Event], rounds: u64) -> Tally {
    let bytes: Vec<u8> = events.iter().flat_map(|event| coded(*event)).collect();
    let mut tally = Tally::default();
    let mut session = Session::<Lender, _>::new(Bench { bytes: &bytes, rounds, tally: &mut tally });
    session.send(&[0]);
    drop(session);
    tally
}

fn coded(event: Event) -> [u8; 2] {
    match event {
        Event::Request(chunks) => [REQUEST, chunks],
        Event::Chunk(number) => [CHUNK, number],
        Event::Flushed => [FLUSHED, 0],
        Event::Close => [CLOSE, 0],
    }
}

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;
use fsm_runtime::{Input, Step};

use super::event::{Event, Tally, Wire};

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

struct Counter {
    sum: u64,
}

impl connection::Handler for Counter {
    fn idle(&mut self, event: &Wire, _: &mut Cx<'_>) -> connection::AfterIdle {
        let [Event::REQUEST, chunks] = *event else { return connection::AfterIdle::Closed };
        self.sum += u64::from(chunks);
        connection::AfterIdle::Reading { left: chunks }
    }

    fn reading(&mut self, left: &mut u8, event: &Wire, _: &mut Cx<'_>) -> connection::AfterReading {
        let [Event::CHUNK, number] = *event else { return connection::AfterReading::Closed };
        self.sum += u64::from(number);
        *left -= 1;
        if *left > 0 {
            connection::AfterReading::Reading
        } else {
            connection::AfterReading::Writing
        }
    }

    fn writing(&mut self, event: &Wire, _: &mut Cx<'_>) -> connection::AfterWriting {
        let [Event::FLUSHED, _] = *event else { return connection::AfterWriting::Closed };
        self.sum += 1;
        connection::AfterWriting::Idle
    }
}

/// A machine whose only handler runs the loop, because only a port creates a [`Cx`].
#[state_machine(start = Start, eof => Done)]
enum Host {
    #[read(exact = 1, within = 60s => Done)]
    #[to(Done)]
    Start,
    #[end]
    Done,
}

struct Run<'a> {
    bytes: &'a [u8],
    rounds: u64,
    tally: &'a mut Tally,
}

impl host::Handler for Run<'_> {
    fn start(&mut self, _: &[u8; 1], cx: &mut Cx<'_>) -> host::AfterStart {
        *self.tally = drive(self.bytes, self.rounds, cx);
        host::AfterStart::Done
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
                Step::Done => {
                    closed += 1;
                    connection = Connection::start(());
                }
                Step::Waiting(_) => break,
                _ => {}
            }
        }
    }
    Tally { sum: counter.sum, closed }
}

pub(super) fn run(events: &[Wire], rounds: u64) -> Tally {
    let mut tally = Tally::default();
    let run = Run { bytes: events.as_flattened(), rounds, tally: &mut tally };
    let mut session = Session::<Host, _>::new(run);
    session.send(&[0]);
    drop(session);
    tally
}

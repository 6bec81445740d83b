use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::RestartLoad;
use super::client::{Client, Event, Habit};
use super::protocol::Protocol;

/// The time without an answer after which a request has failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The failures that are kept as texts.
const EXAMPLES: usize = 5;

/// Clients that count what they lose. All run on one thread, to leave the processors to the server.
pub(super) struct Clients {
    poll: Poll,
    all: Vec<Client>,
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    pause: Duration,
    counts: Counts,
}

/// The losses of clients.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) answers: u64,
    /// Requests on connections that had had an answer before, without one.
    pub(super) failed: u64,
    /// Connections of newcomers without an answer, and all that were not established.
    pub(super) refused: u64,
    /// Connections at rest that the server has closed.
    pub(super) closed_at_rest: u64,
    /// Busy connections that the server has closed between two requests, or with an answer that says so.
    pub(super) closed_busy: u64,
    /// The longest answer of each client.
    pub(super) longest: Vec<Duration>,
    pub(super) examples: Vec<String>,
}

impl Clients {
    pub(super) fn new(load: &RestartLoad, address: SocketAddr, protocol: Protocol) -> Self {
        let habits = [
            (Habit::Rests, load.at_rest),
            (Habit::Works, load.busy),
            (Habit::IsNew, load.newcomers),
        ];
        let habits =
            habits.into_iter().flat_map(|(habit, count)| std::iter::repeat_n(habit, count));
        let clients = habits.enumerate();
        let clients = clients.map(|(number, habit)| Client::new(habit, number, address, protocol));
        let (poll, counts) = (Poll::new().expect("a poll"), Counts::default());
        Self { poll, all: clients.collect(), due: BinaryHeap::new(), pause: load.pause, counts }
    }

    /// Runs until it is over. Tells when each client has had an answer.
    pub(super) fn run(mut self, ready: &AtomicBool, over: &AtomicBool) -> Counts {
        let begin = Instant::now();
        for number in 0..self.all.len() {
            // Not all at once, for the backlog's sake.
            let later = Duration::from_micros(200) * u32::try_from(number).expect("few clients");
            self.due.push(Reverse((begin + later, number)));
        }
        while !over.load(Ordering::Relaxed) {
            self.ask();
            self.hear();
            if self.all.iter().all(|client| client.answers > 0) {
                ready.store(true, Ordering::Relaxed);
            }
        }
        // Those that wait get their answers, and those at rest ask once more.
        self.hear_the_rest();
        for number in 0..self.all.len() {
            let client = &mut self.all[number];
            if client.habit == Habit::Rests && client.is_open() {
                let event = client.ask(self.poll.registry());
                self.note(number, event);
            }
        }
        self.hear_the_rest();
        for client in &self.all {
            self.counts.answers += client.answers;
            self.counts.longest.push(client.longest);
        }
        self.counts
    }

    fn hear_the_rest(&mut self) {
        while self.all.iter().any(Client::waits) {
            self.hear();
        }
    }

    fn ask(&mut self) {
        let now = Instant::now();
        while let Some(&Reverse((at, number))) = self.due.peek() {
            if at > now {
                break;
            }
            self.due.pop();
            let event = self.all[number].ask(self.poll.registry());
            self.note(number, event);
        }
    }

    fn hear(&mut self) {
        let next = self
            .due
            .peek()
            .map_or(PATIENCE, |Reverse((at, _))| at.saturating_duration_since(Instant::now()));
        let mut events = Events::with_capacity(1024);
        match self.poll.poll(&mut events, Some(next.min(Duration::from_millis(5)))) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            polled => polled.expect("the poll works"),
        }
        for event in &events {
            let number = event.token().0;
            let event = self.all[number].hear(event.is_writable());
            self.note(number, event);
        }
        for number in 0..self.all.len() {
            let client = &mut self.all[number];
            if client.waits_since().is_some_and(|it| it.elapsed() > PATIENCE) {
                let event = client.give_up();
                self.note(number, event);
            }
        }
    }

    fn note(&mut self, number: usize, event: Event) {
        let habit = self.all[number].habit;
        let counts = &mut self.counts;
        match event {
            Event::Nothing => return,
            Event::Answered { closes: false } if habit == Habit::Rests => return,
            Event::Answered { closes } => match habit {
                Habit::Rests => counts.closed_at_rest += 1,
                Habit::Works => counts.closed_busy += u64::from(closes),
                Habit::IsNew => {}
            },
            Event::Closed if habit == Habit::Rests => counts.closed_at_rest += 1,
            Event::Closed => {
                counts.closed_busy += 1;
                // Its next request is due already.
                return;
            }
            Event::Failed(error) if habit != Habit::IsNew => {
                counts.failed += 1;
                counts.add_example(habit, number, &error);
            }
            Event::Failed(error) | Event::Refused(error) => {
                counts.refused += 1;
                counts.add_example(habit, number, &error);
            }
        }
        // One at rest that has been closed connects again at once, so that the next restart finds as many.
        let pause = if habit == Habit::Rests { Duration::from_millis(1) } else { self.pause };
        self.due.push(Reverse((Instant::now() + pause, number)));
    }
}

impl Counts {
    fn add_example(&mut self, habit: Habit, number: usize, error: &io::Error) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(format!("{habit:?} {number}: {error}"));
        }
    }
}

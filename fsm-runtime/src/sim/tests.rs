//! A port of several threads, all of which are this one.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

mod files;
mod survey;

use super::LIMITS;
use super::clock::TimeOrigin;
use super::pipe::{Pipe, PipeEnd};
use super::port::SimPort;
use crate::Key;
use crate::connection::ConnectionTask;
use crate::connection::scratch::ConnectionScratch;
use crate::machine::environment::Environment;
use crate::machine::runner::Started;
use crate::net::readiness::Readiness;
use crate::prelude::*;
use crate::scheduler::port::Next;

#[state_machine(start = Line, eof => Gone)]
enum Log {
    #[read(until = b"\n", max = 64, limit => Gone, idle = 60s => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

struct Writer {
    name: &'static str,
    lines: Rc<RefCell<Vec<String>>>,
}

impl log::Handler for Writer {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> log::AfterLine {
        let line = String::from_utf8_lossy(line);
        self.lines.borrow_mut().push(format!("{}: {line}", self.name));
        log::AfterLine::Line
    }
}

type Task = ConnectionTask<Log, Writer, PipeEnd>;

/// The next round of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Runs(Key),
    Polls,
    SleepsInPoll,
    Parked,
}

/// Connections on a port of two threads, of which one runs at a time.
struct StubTargets {
    port: SimPort<Task>,
    lines: Rc<RefCell<Vec<String>>>,
}

impl StubTargets {
    fn new() -> Self {
        let mut port = SimPort::new(&TimeOrigin::new(), 2, 1);
        for _ in 0..2 {
            port.add_thread(Arc::new([]), |pool_state, context| {
                ConnectionScratch::bare(Environment::default(), LIMITS, pool_state, context)
            });
        }
        Self { port, lines: Rc::default() }
    }

    fn open(&mut self, name: &'static str) -> (Key, Rc<Pipe>) {
        let pipe = Rc::new(Pipe::new());
        let writer = Writer { name, lines: Rc::clone(&self.lines) };
        let task = ConnectionTask::new(PipeEnd(Rc::clone(&pipe)), Started::new((), 0, &()), writer);
        (self.port.open(task), pipe)
    }

    /// Input for a connection, of which the next poll tells.
    fn send(&mut self, (key, pipe): &(Key, Rc<Pipe>), bytes: &[u8]) {
        pipe.stream.borrow_mut().feed(bytes);
        self.port.add_event(*key, Readiness::READ);
    }

    fn does(&self, thread: usize) -> Does {
        match self.port.next(thread) {
            Some(Next::Run(turn)) => Does::Runs(turn.key),
            Some(Next::Poll { .. }) if self.port.is_awake(thread) => Does::Polls,
            Some(Next::Poll { .. }) => Does::SleepsInPoll,
            Some(Next::Parked) => Does::Parked,
            None | Some(Next::End) => panic!("it is up"),
        }
    }

    /// Runs one round of a thread. Returns the action of its next round.
    fn round(&mut self, thread: usize) -> Does {
        self.port.round(thread);
        self.does(thread)
    }

    /// Runs rounds of both threads until one sleeps in its poll and the other one is parked. Returns
    /// them in this order.
    fn rest(&mut self) -> (usize, usize) {
        for thread in [0, 1].into_iter().cycle().take(20) {
            if self.port.is_awake(thread) {
                self.port.round(thread);
            }
        }
        match (self.does(0), self.does(1)) {
            (Does::SleepsInPoll, Does::Parked) => (0, 1),
            (Does::Parked, Does::SleepsInPoll) => (1, 0),
            other => panic!("{other:?} is no rest"),
        }
    }
}

#[test]
fn r1_r2_x1_hold_on_a_port_of_two_simulated_threads() {
    let mut world = StubTargets::new();
    let (first, second) = (world.open("first"), world.open("second"));
    let (a, b) = world.rest();

    // One poll finds both. Its thread gives up the role before it runs a handler (X2).
    world.send(&first, b"one\n");
    world.send(&second, b"one\n");
    assert_eq!(world.does(a), Does::Polls);
    assert_eq!(world.round(a), Does::Runs(first.0));
    assert_eq!(world.round(b), Does::SleepsInPoll);

    // A key that has a turn gets no second thread (X1), and `max_running` leaves the other one queued (R1).
    world.send(&first, b"two\n");
    assert_eq!(world.round(b), Does::SleepsInPoll);

    // The thread goes on with the head of the queue, and comes back to the first once more (R2, X1).
    assert_eq!(world.round(a), Does::Runs(second.0));
    assert_eq!(world.round(a), Does::Runs(first.0));
    assert_eq!(world.round(a), Does::Parked);
    assert_eq!(*world.lines.borrow(), ["first: one", "first: two", "second: one"]);

    // A packet from elsewhere goes to the thread that is parked, and one beyond `max_running` waits (R1).
    world.port.port().post(second.0);
    world.port.port().post(first.0);
    assert_eq!(world.does(b), Does::SleepsInPoll);
    assert_eq!(world.round(a), Does::Runs(second.0));
    assert_eq!(world.round(a), Does::Runs(first.0));
    assert_eq!(world.round(a), Does::Parked);
}

/// Writes down what it hears, in the order in which it hears it.
#[state_machine(start = Line, message = u8, eof => Gone)]
enum Order {
    #[read(until = b"\n", max = 64, limit => Gone, idle = 60s => Gone)]
    #[message]
    #[tick(5s)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

struct Scribe;

impl order::Handler for Scribe {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, u8>) -> order::AfterLine {
        cx.write(line);
        order::AfterLine::Line
    }

    fn line_message(&mut self, message: u8, cx: &mut Cx<'_, u8>) -> order::AfterLine {
        cx.write(&[message]);
        order::AfterLine::Line
    }

    fn line_tick(&mut self, cx: &mut Cx<'_, u8>) -> order::AfterLine {
        cx.write(b".");
        order::AfterLine::Line
    }
}

#[test]
fn w2_a_due_tick_comes_first_and_then_input_and_messages_alternate() {
    let mut peer = super::Session::<Order, _>::new(Scribe);
    peer.come_together(b"a\nb\nc\n", b"xyz", 12_000);
    assert_eq!(peer.receive(), b".xaybzc");
}

#[test]
fn w2_a_flood_of_messages_does_not_hold_up_what_the_socket_has() {
    let mut peer = super::Session::<Order, _>::new(Scribe);
    // More messages than a turn has handler calls, and input that no read has taken.
    peer.come_together(b"a\nb\n", &[b'x'; 1_020], 0);
    let heard = peer.receive();
    let places: Vec<_> = heard.iter().enumerate().filter(|(_, byte)| **byte != b'x').collect();
    assert_eq!(heard.len(), 1_022);
    assert!(matches!(places[..], [(..4, b'a'), (..6, b'b')]), "{places:?}");
}

/// Posts two messages to itself for each line.
#[state_machine(start = Line, message = (), eof => Gone)]
enum Echoing {
    #[read(until = b"\n", max = 4KiB, limit => Gone, idle = 60s => Gone)]
    #[message]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

impl echoing::Handler for Scribe {
    fn line(&mut self, _: &[u8], cx: &mut Cx<'_, ()>) -> echoing::AfterLine {
        cx.write(b"L");
        for _ in 0..2 {
            cx.post(cx.key(), ()).expect("there is room");
        }
        echoing::AfterLine::Line
    }

    fn line_message(&mut self, (): (), cx: &mut Cx<'_, ()>) -> echoing::AfterLine {
        cx.write(b"m");
        echoing::AfterLine::Line
    }
}

#[test]
fn w2_a_flood_of_messages_does_not_hold_up_what_is_behind_the_first_read() {
    let mut peer = super::Session::<Echoing, _>::new(Scribe);
    // Three reads of sixteen lines each.
    let line = [&[b'.'; 4_095][..], b"\n"].concat();
    peer.send(&line.repeat(48));
    let heard = peer.receive();
    let last = heard.iter().rposition(|byte| *byte == b'L').expect("a line was heard");
    assert_eq!(heard.len(), 48 + 96);
    assert!(!heard[..last].windows(2).any(|pair| pair == b"mm"), "{heard:?}");
}

/// Posts to itself the number below the one that it hears.
#[state_machine(start = Listen, message = u8, eof => Gone)]
enum Countdown {
    #[read(exact = 1, idle = 60s => Gone)]
    #[message]
    #[to(Listen)]
    #[rest]
    Listen,
    #[end]
    Gone,
}

impl countdown::Handler for Scribe {
    fn listen(&mut self, _: &[u8; 1], _: &mut Cx<'_, u8>) -> countdown::AfterListen {
        countdown::AfterListen::Listen
    }

    fn listen_message(&mut self, number: u8, cx: &mut Cx<'_, u8>) -> countdown::AfterListen {
        cx.write(&[number]);
        if number > b'0' {
            cx.post(cx.key(), number - 1).expect("there is room");
        }
        countdown::AfterListen::Listen
    }
}

#[test]
fn w2_a_message_that_a_handler_posts_to_its_own_empty_mailbox_is_taken() {
    let mut peer = super::Session::<Countdown, _>::new(Scribe);
    peer.post(b'3').unwrap();
    assert_eq!(peer.receive(), b"3210");
    // In a turn that has more than one message, and input.
    peer.come_together(b".", b"19", 0);
    assert_eq!(peer.receive(), b"190876543210");
}

/// A job that counts messages and ticks.
#[state_machine(start = Count, job = (), reply = Vec<u8>, message = u8)]
enum Counting {
    #[message(within = 60s => Given)]
    #[tick(5s)]
    #[to(Count)]
    Count { job: () },
    #[run]
    #[to(Done)]
    Given,
    #[end]
    Done,
}

#[derive(Default)]
struct Counter(Vec<u8>);

impl counting::Handler for Counter {
    fn count(&mut self, (): &mut (), message: u8, _: &mut JobCx<'_, u8>) -> counting::AfterCount {
        self.0.push(message);
        counting::AfterCount::Count
    }

    fn count_tick(&mut self, (): &mut (), _: &mut JobCx<'_, u8>) -> counting::AfterCount {
        self.0.push(b'.');
        counting::AfterCount::Count
    }

    fn given(&mut self, _: &mut JobCx<'_, u8>) -> counting::AfterGiven {
        counting::AfterGiven::Done { reply: std::mem::take(&mut self.0) }
    }
}

#[test]
fn w2_a_due_tick_of_a_job_comes_before_its_messages() {
    let mut job = super::JobSession::<Counting, _>::new(Counter::default(), ());
    job.come_together(b"xy", 12_000);
    job.advance(std::time::Duration::from_secs(60));
    let counted = job.replied().unwrap();
    assert_eq!(counted[..3], *b".xy");
}

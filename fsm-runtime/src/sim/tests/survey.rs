//! The findings of a walk, at times that the test sets.

use std::sync::mpsc;
use std::time::Duration;

use super::super::clock::TimeOrigin;
use super::*;
use crate::machine::environment::EnvironmentOf;
use crate::machine::survey::SurveyWalk;
use crate::scheduler::survey::{Answer, Found, Question};
use crate::{Age, Since};

#[state_machine(start = Begin, settings = Times, eof => Gone, limit => Gone)]
enum Upload {
    #[read(until = b"\n", max = 64, idle = settings.idle <= 1h => Gone)]
    #[tick(10s)]
    #[to(Begin | Head | Body | Forever)]
    Begin,
    #[read(until = b"\n", max = 64, idle = 40s => Gone, begun = 5s => Gone)]
    #[to(Head)]
    Head,
    #[read(exact = 9, within = 30s => Gone)]
    #[to(Gone)]
    Body,
    #[read(exact = 9, within = never)]
    #[to(Gone)]
    Forever,
    #[end]
    Gone,
}

struct Times {
    idle: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { idle: Duration::from_secs(60) }
    }
}

struct Client;

impl upload::Handler for Client {
    fn begin(&mut self, line: &[u8], _: &mut Cx<'_, NoMessage, Times>) -> upload::AfterBegin {
        match line {
            b"head" => upload::AfterBegin::Head,
            b"body" => upload::AfterBegin::Body,
            b"forever" => upload::AfterBegin::Forever,
            _ => upload::AfterBegin::Begin,
        }
    }

    fn begin_tick(&mut self, _: &mut Cx<'_, NoMessage, Times>) -> upload::AfterBegin {
        upload::AfterBegin::Begin
    }

    fn head(&mut self, _: &[u8], _: &mut Cx<'_, NoMessage, Times>) -> upload::AfterHead {
        upload::AfterHead::Head
    }

    fn body(&mut self, _: &[u8; 9], _: &mut Cx<'_, NoMessage, Times>) -> upload::AfterBody {
        upload::AfterBody::Gone
    }

    fn forever(&mut self, _: &[u8; 9], _: &mut Cx<'_, NoMessage, Times>) -> upload::AfterForever {
        upload::AfterForever::Gone
    }
}

/// Connections on a simulated port.
struct Uploads {
    port: SimPort<ConnectionTask<Upload, Client, PipeEnd>>,
    environment: EnvironmentOf<Upload>,
    origin: TimeOrigin,
}

impl Uploads {
    fn new() -> Self {
        let (origin, environment) = (TimeOrigin::new(), EnvironmentOf::<Upload>::default());
        let mut port = SimPort::new(&origin, 2, 1);
        for _ in 0..2 {
            let environment = environment.clone();
            port.add_thread(Arc::new([]), |pool_state, context| {
                ConnectionScratch::bare(environment, LIMITS, pool_state, context)
            });
        }
        Self { port, environment, origin }
    }

    /// Opens a connection that sends these bytes at once.
    fn open(&mut self, bytes: &[u8]) -> (Key, Rc<Pipe>) {
        let pipe = Rc::new(Pipe::new());
        let started = Started::new((), self.origin.time.millis(), &Times::default());
        let task = ConnectionTask::new(PipeEnd(Rc::clone(&pipe)), started, Client);
        let connection = (self.port.open(task), pipe);
        self.send(&connection, bytes);
        connection
    }

    fn send(&mut self, (key, pipe): &(Key, Rc<Pipe>), bytes: &[u8]) {
        pipe.stream.borrow_mut().feed(bytes);
        self.port.add_event(*key, Readiness::READ);
        self.rest();
    }

    /// Sets the time, and runs what is due.
    fn at(&mut self, millis: u64) {
        self.origin.time.set(millis);
        self.rest();
    }

    fn rest(&mut self) {
        for thread in [0, 1].into_iter().cycle().take(20) {
            self.port.round(thread);
        }
    }

    fn ask(&self, question: Question) -> Answer {
        let (sender, answers) = mpsc::channel();
        let (environment, time) = (self.environment.clone(), Arc::new(self.origin.time.clone()));
        let walk =
            SurveyWalk::<Upload, Client>::new(0, Arc::new(question), sender, environment, time);
        self.port.port().walk(Box::new(walk));
        answers.recv().unwrap()
    }

    /// The age and the time left of a connection, in milliseconds.
    fn times(&self, key: Key) -> (Option<(Since, u128)>, Option<u128>) {
        let answer = self.ask(Question::new(None, None, 10));
        let found = answer.found.into_iter().find(|found| found.key == Some(key));
        let Some(Found { age, left, .. }) = found else { panic!("it is gone") };
        let age = age.map(|Age { since, time }| (since, time.as_millis()));
        (age, left.map(|left| left.as_millis()))
    }
}

#[test]
fn v3_ages_and_times_left_follow_from_the_deadlines() {
    let mut port = Uploads::new();
    port.at(1_000);
    let begin = port.open(b"hello\n").0;
    let head = port.open(b"head\n");
    let body = port.open(b"body\nhalf").0;
    let forever = port.open(b"forever\n").0;
    port.at(3_500);
    // A tick is no deadline, and the time of `idle` is that of the settings.
    assert_eq!(port.times(begin), (Some((Since::Progress, 2_500)), Some(57_500)));
    assert_eq!(port.times(head.0), (Some((Since::Progress, 2_500)), Some(37_500)));
    assert_eq!(port.times(body), (Some((Since::Entered, 2_500)), Some(27_500)));
    assert_eq!(port.times(forever), (None, None));
    port.at(4_000);
    port.send(&head, b"ha");
    port.at(4_250);
    assert_eq!(port.times(head.0), (Some((Since::FirstByte, 250)), Some(4_750)));
    port.send(&head, b"lf\n");
    port.at(14_000);
    assert_eq!(port.times(head.0), (Some((Since::Progress, 9_750)), Some(30_250)));
    assert_eq!(port.times(begin), (Some((Since::Progress, 13_000)), Some(47_000)));
}

#[test]
fn v2_a_walk_counts_all_and_keeps_the_oldest() {
    let mut port = Uploads::new();
    let mut bodies = Vec::new();
    for number in 1..=40 {
        port.at(number * 100);
        bodies.push(port.open(b"body\n").0);
        port.open(b"forever\n");
    }
    port.at(5_000);
    let kept = |question| {
        let answer = port.ask(question);
        let counts = [0, 1, 2, 3].map(|state| answer.counts[state].count);
        assert_eq!(
            (counts, answer.counts[2].oldest),
            ([0, 0, 40, 40], Some(Duration::from_millis(4_900)))
        );
        let mut found = answer.found;
        found.sort_by_key(|found| std::cmp::Reverse(found.rank()));
        found.into_iter().filter_map(|found| found.key).collect::<Vec<Key>>()
    };
    assert_eq!(kept(Question::new(None, None, 5)), bodies[..5]);
    assert_eq!(kept(Question::new(None, None, 0)), []);
    assert_eq!(kept(Question::new(None, None, 1_000)).len(), 80);
    let old = Some(Duration::from_secs(4));
    assert_eq!(kept(Question::new(None, old, 1_000)), bodies[..10]);
    assert_eq!(kept(Question::new(Some(2), None, 1_000)), bodies);
    assert_eq!(kept(Question::new(Some(3), old, 1_000)), []);
}

//! Several pools: jobs, hand-offs and posts between them, on real sockets.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Running};

fn address(running: &Running) -> SocketAddr {
    match &running.addresses()[0] {
        Address::Tcp(address) => *address,
        other @ Address::Unix(_) => panic!("{other}"),
    }
}

fn connect(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(address(running)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap()
}

/// A door that jobs wait at until a test opens it.
#[derive(Default)]
struct Door(Mutex<bool>, Condvar, AtomicUsize);

impl Door {
    /// How many have come to it.
    fn visitors(&self) -> usize {
        self.2.load(Ordering::SeqCst)
    }

    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn pass(&self) {
        self.2.fetch_add(1, Ordering::SeqCst);
        let mut open = self.0.lock().unwrap();
        while !*open {
            open = self.1.wait(open).unwrap();
        }
    }
}

/// Answers each line with what the pool makes of it.
#[state_machine(start = Line, eof => Gone, limit => Gone, gone => Failed)]
enum Front {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Asking)]
    #[rest]
    Line,
    #[call(Upper, within = 10s => Late)]
    #[to(Line)]
    Asking,
    #[run]
    #[to(Line)]
    Failed,
    #[run]
    #[to(Line)]
    Late,
    #[end]
    Gone,
}

struct Client;

impl front::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> front::AfterLine {
        front::AfterLine::Asking { job: String::from_utf8_lossy(line).into_owned() }
    }

    fn asking(&mut self, reply: String, cx: &mut Cx<'_>) -> front::AfterAsking {
        writeln!(cx, "{reply}");
        front::AfterAsking::Line
    }

    fn failed(&mut self, cx: &mut Cx<'_>) -> front::AfterFailed {
        writeln!(cx, "failed");
        front::AfterFailed::Line
    }

    fn late(&mut self, cx: &mut Cx<'_>) -> front::AfterLate {
        writeln!(cx, "late");
        front::AfterLate::Line
    }
}

struct Upper;

impl Service for Upper {
    type Job = String;
    type Reply = String;
}

fn front() -> Pool {
    Pool::builder::<Front>("front").listen("127.0.0.1:0").handler(|_| Client)
}

#[test]
fn a_job_is_done_in_another_pool_and_its_reply_comes_back() {
    let upper = Pool::workers::<Upper>("upper", 2, |text: String| text.to_uppercase());
    let running = Pipeline::new().pool(front()).pool(upper).start().unwrap();
    let mut clients: Vec<_> = (0..20).map(|_| connect(&running)).collect();
    for round in 0..50 {
        for (number, client) in clients.iter_mut().enumerate() {
            writeln!(client, "hello {round} {number}").unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate() {
            assert_eq!(line(client), format!("HELLO {round} {number}"));
        }
    }
    drop(clients);
    let stats = running.drain().unwrap();
    assert_eq!((stats.offered, stats.taken, stats.open), (1_000, 1_000, 0));
}

#[test]
fn l12_x8_a_job_that_panics_takes_the_gone_edge_and_nobody_else_notices() {
    let upper = Pool::workers::<Upper>("upper", 1, |text: String| {
        assert_ne!(text, "bad");
        text.to_uppercase()
    });
    let running = Pipeline::new().pool(front()).pool(upper).start().unwrap();
    let mut client = connect(&running);
    for (said, answer) in [("good", "GOOD"), ("bad", "failed"), ("fine", "FINE")] {
        writeln!(client, "{said}").unwrap();
        assert_eq!(line(&mut client), answer);
    }
    drop(client);
    assert_eq!(running.drain().unwrap().panicked, 1);
}

/// Sheds what there is no room for.
#[state_machine(start = Line, eof => Gone, limit => Gone, gone => Gone)]
enum Shedding {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Asking)]
    #[rest]
    Line,
    #[call(Upper, within = 20s => Gone, full => Full)]
    #[to(Line)]
    Asking,
    /// The job comes back.
    #[run]
    #[to(Line)]
    Full {
        #[job]
        job: String,
    },
    #[end]
    Gone,
}

impl shedding::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> shedding::AfterLine {
        shedding::AfterLine::Asking { job: String::from_utf8_lossy(line).into_owned() }
    }

    fn asking(&mut self, reply: String, cx: &mut Cx<'_>) -> shedding::AfterAsking {
        writeln!(cx, "{reply}");
        shedding::AfterAsking::Line
    }

    fn full(&mut self, job: &mut String, cx: &mut Cx<'_>) -> shedding::AfterFull {
        writeln!(cx, "no room for {job}");
        shedding::AfterFull::Line
    }
}

/// Jobs of one step, as a machine.
#[state_machine(start = Make, job = String, reply = String)]
enum Upcase {
    #[run(blocking)]
    #[to(Done)]
    Make { text: String },
    #[end]
    Done,
}

impl Upcase {
    fn pool(door: &Arc<Door>, jobs: usize) -> Pool {
        let door = Arc::clone(door);
        Pool::builder::<Upcase>("upcase").max_jobs(jobs).worker(move || Worker(Arc::clone(&door)))
    }
}

struct Worker(Arc<Door>);

impl upcase::Handler for Worker {
    fn make(&mut self, text: &mut String, _: &mut JobCx<'_>) -> upcase::AfterMake {
        self.0.pass();
        upcase::AfterMake::Done { reply: text.to_uppercase() }
    }
}

/// As `Front`, on the job machine, with little patience.
#[state_machine(start = Line, eof => Gone, limit => Gone, gone => Gone)]
enum Patient {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Asking | Hurry)]
    #[rest]
    Line,
    #[call(Upcase, within = 20s => Gone)]
    #[to(Line)]
    Asking,
    #[call(Upcase, within = 100ms => Late)]
    #[to(Line)]
    Hurry,
    #[run]
    #[to(Line)]
    Late,
    #[end]
    Gone,
}

impl patient::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> patient::AfterLine {
        let job = String::from_utf8_lossy(line).into_owned();
        if line.starts_with(b"hurry") {
            patient::AfterLine::Hurry { job }
        } else {
            patient::AfterLine::Asking { job }
        }
    }

    fn asking(&mut self, reply: String, cx: &mut Cx<'_>) -> patient::AfterAsking {
        writeln!(cx, "{reply}");
        patient::AfterAsking::Line
    }

    fn hurry(&mut self, reply: String, cx: &mut Cx<'_>) -> patient::AfterHurry {
        writeln!(cx, "{reply}");
        patient::AfterHurry::Line
    }

    fn late(&mut self, cx: &mut Cx<'_>) -> patient::AfterLate {
        writeln!(cx, "late");
        patient::AfterLate::Line
    }
}

#[test]
fn x7_a_full_pool_is_an_event_that_gives_the_job_back() {
    let door = Arc::<Door>::default();
    let (sender, begun) = mpsc::channel();
    let worker = {
        let door = Arc::clone(&door);
        move |text: String| {
            sender.send(()).unwrap();
            door.pass();
            text.to_uppercase()
        }
    };
    let shedding = Pool::builder::<Shedding>("shedding").listen("127.0.0.1:0").handler(|_| Client);
    // The short form has room for 1,024: one runs.
    let upper = Pool::workers::<Upper>("upper", 1, worker);
    let running = Pipeline::new().pool(shedding).pool(upper).start().unwrap();
    let mut clients: Vec<_> = (0..1_025).map(|_| connect(&running)).collect();
    for client in &mut clients[..1_024] {
        writeln!(client, "a").unwrap();
    }
    begun.recv().unwrap();
    while running.stats().taken < 1_024 {
        std::thread::yield_now();
    }
    writeln!(clients[1_024], "b").unwrap();
    assert_eq!(line(&mut clients[1_024]), "no room for b");
    door.open();
    for client in &mut clients[..1_024] {
        assert_eq!(line(client), "A");
    }
    writeln!(clients[1_024], "b").unwrap();
    assert_eq!(line(&mut clients[1_024]), "B");
    drop(clients);
    let stats = running.drain().unwrap();
    assert_eq!((stats.offered, stats.taken, stats.refused), (1_026, 1_025, 1));
}

#[test]
fn x7_without_a_full_edge_a_caller_waits_for_room_within_its_deadline() {
    let door = Arc::<Door>::default();
    let patient = Pool::builder::<Patient>("patient").listen("127.0.0.1:0").handler(|_| Client);
    let pipeline = Pipeline::new().pool(patient).pool(Upcase::pool(&door, 1));
    let running = pipeline.start().unwrap();
    let mut clients: Vec<_> = (0..4).map(|_| connect(&running)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        writeln!(client, "a{number}").unwrap();
        // The next one must come after it.
        while running.stats().offered <= number as u64 {
            std::thread::yield_now();
        }
    }
    assert_eq!(running.stats().waiting, 3);
    let mut hasty = connect(&running);
    writeln!(hasty, "hurry").unwrap();
    assert_eq!(line(&mut hasty), "late");
    // One that leaves while it waits holds nobody up.
    drop(clients.remove(2));
    door.open();
    for (number, client) in [0, 1, 3].into_iter().zip(&mut clients) {
        assert_eq!(line(client), format!("A{number}"));
    }
    drop((clients, hasty));
    let stats = running.drain().unwrap();
    assert_eq!(stats.offered, stats.taken + stats.refused + stats.abandoned);
    assert_eq!(stats.waiting, 0);
    assert!(stats.abandoned >= 1);
}

#[test]
fn l12_x7_a_late_reply_reaches_nobody() {
    let door = Arc::<Door>::default();
    let patient = Pool::builder::<Patient>("patient").listen("127.0.0.1:0").handler(|_| Client);
    let running = Pipeline::new().pool(patient).pool(Upcase::pool(&door, 10)).start().unwrap();
    let mut client = connect(&running);
    writeln!(client, "hurry").unwrap();
    assert_eq!(line(&mut client), "late");
    // The first job still runs, and counts. Its reply must not be taken for that of the second.
    writeln!(client, "second").unwrap();
    while running.stats().taken < 2 {
        std::thread::yield_now();
    }
    door.open();
    assert_eq!(line(&mut client), "SECOND");
    drop(client);
    running.drain().unwrap();
}

#[test]
fn jobs_from_plain_threads_get_their_replies() {
    let door = Arc::<Door>::default();
    door.open();
    let builder = Pool::builder::<Upcase>("upcase").threads(2).max_running(2).max_jobs(8);
    let handle = builder.handle();
    let running = builder.worker(move || Worker(Arc::clone(&door))).start().unwrap();
    let submit = |text: String| handle.submit_within(text, Duration::from_secs(20)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..6 {
            scope.spawn(move || {
                for round in 0..200 {
                    let tickets = [0, 1, 2].map(|n| submit(format!("a{thread} {round} {n}")));
                    for (n, ticket) in tickets.into_iter().enumerate() {
                        assert_eq!(ticket.wait(), Some(format!("A{thread} {round} {n}")));
                    }
                }
            });
        }
    });
    let stats = running.drain().unwrap();
    assert_eq!((stats.offered, stats.taken, stats.done, stats.open), (3_600, 3_600, 3_600, 0));
}

#[test]
fn x7_a_thread_with_a_job_learns_that_the_pool_is_full_or_waits_for_room() {
    let door = Arc::<Door>::default();
    let builder = Pool::builder::<Upcase>("upcase").max_jobs(1);
    let handle = builder.handle();
    let running = {
        let door = Arc::clone(&door);
        builder.worker(move || Worker(Arc::clone(&door))).start().unwrap()
    };
    let first = handle.submit("first".to_owned()).unwrap();
    let refused = handle.submit("second".to_owned()).unwrap_err();
    assert_eq!(refused, TrySendError::Full("second".to_owned()));
    let late = handle.submit_within("third".to_owned(), Duration::from_millis(1)).unwrap_err();
    assert_eq!(late, TrySendError::Full("third".to_owned()));
    let waits = std::thread::spawn(move || {
        let ticket = handle.submit_within("fourth".to_owned(), Duration::from_secs(20));
        ticket.unwrap().wait()
    });
    while running.stats().waiting < 1 {
        std::thread::yield_now();
    }
    let first = first.wait_for(Duration::from_millis(1)).unwrap_err();
    door.open();
    assert_eq!(first.wait().as_deref(), Some("FIRST"));
    assert_eq!(waits.join().unwrap().as_deref(), Some("FOURTH"));
    let stats = running.drain().unwrap();
    assert_eq!((stats.offered, stats.taken, stats.refused, stats.abandoned), (4, 2, 1, 1));
}

#[test]
fn l12_x7_a_thread_with_a_job_learns_that_there_will_be_no_reply() {
    let door = Arc::<Door>::default();
    let builder = Pool::builder::<Upcase>("upcase").max_jobs(2);
    let handle = builder.handle();
    let gone = Err(TrySendError::Gone("job".to_owned()));
    let submit = || handle.submit("job".to_owned()).map(drop);
    assert_eq!(submit(), gone, "it has not started");
    let running = {
        let door = Arc::clone(&door);
        builder.worker(move || Worker(Arc::clone(&door))).start().unwrap()
    };
    // One runs, another one waits for the thread, and a third for room.
    let tickets = [(); 2].map(|()| handle.submit("job".to_owned()).unwrap());
    let waits = {
        let handle = handle.clone();
        std::thread::spawn(move || {
            handle.submit_within("job".to_owned(), Duration::from_secs(20)).map(drop)
        })
    };
    while running.stats().waiting < 1 || door.visitors() < 1 {
        std::thread::yield_now();
    }
    handle.drain();
    assert_eq!(submit(), gone, "it drains");
    handle.close();
    assert_eq!(waits.join().unwrap(), gone, "it is closed");
    assert_eq!(submit(), gone, "it is closed");
    door.open();
    let [first, second] = tickets;
    // The first one runs to its end; the other has not begun.
    assert_eq!((first.wait(), second.wait()), (Some("JOB".to_owned()), None));
    let stats = running.join().unwrap();
    assert_eq!((stats.done, stats.closed, stats.open), (1, 1, 0));
}

/// Lets clients in, and hands those that say so over to the readers of news.
#[state_machine(start = Hello, eof => Gone, limit => Gone)]
enum Gate {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Hello | Subscribing)]
    #[rest]
    Hello,
    #[handoff(News, within = 10s => Gone, gone => Gone)]
    Subscribing,
    #[end]
    Gone,
}

impl gate::Handler for Client {
    fn hello(&mut self, line: &[u8], cx: &mut Cx<'_>) -> gate::AfterHello {
        if let Some(topic) = line.strip_prefix(b"news ") {
            writeln!(cx, "goodbye");
            return gate::AfterHello::Subscribing {
                seed: String::from_utf8_lossy(topic).into_owned(),
            };
        }
        writeln!(cx, "hello");
        gate::AfterHello::Hello
    }
}

#[state_machine(start = Start, seed = String, message = String, eof => Gone, limit => Gone)]
enum News {
    #[run]
    #[to(Line)]
    Start { topic: String },
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line | Waiting)]
    #[rest]
    Line,
    #[message(within = never)]
    #[to(Waiting)]
    #[rest]
    Waiting,
    #[end]
    Gone,
}

struct Reader {
    topic: String,
    keys: mpsc::Sender<Key>,
}

impl news::Handler for Reader {
    fn start(&mut self, topic: &mut String, cx: &mut Cx<'_, String>) -> news::AfterStart {
        self.topic = std::mem::take(topic);
        writeln!(cx, "news of {}", self.topic);
        news::AfterStart::Line
    }

    fn line(&mut self, line: &[u8], cx: &mut Cx<'_, String>) -> news::AfterLine {
        writeln!(cx, "{} heard {}", self.topic, String::from_utf8_lossy(line));
        if line == b"wait" {
            self.keys.send(cx.key()).unwrap();
            return news::AfterLine::Waiting;
        }
        news::AfterLine::Line
    }

    fn waiting(&mut self, text: String, cx: &mut Cx<'_, String>) -> news::AfterWaiting {
        writeln!(cx, "{text}");
        news::AfterWaiting::Waiting
    }
}

#[test]
fn x7_a_connection_moves_with_what_was_read_and_what_was_not_sent() {
    let (sender, keys) = mpsc::channel();
    let news = Pool::builder::<News>("news").shards(2);
    let handle = news.handle();
    let make = move |_| Reader { topic: String::new(), keys: sender.clone() };
    let gate = Pool::builder::<Gate>("gate").listen("127.0.0.1:0").handler(|_| Client);
    let running = Pipeline::new().pool(gate).pool(news.handler(make)).start().unwrap();
    let mut clients: Vec<_> = (0..50).map(|_| connect(&running)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        // All at once: what follows the hand-off is read by the first pool, and used by the second.
        write!(client, "x\nnews t{number}\none\ntwo\nwait\n").unwrap();
    }
    for (number, client) in clients.iter_mut().enumerate() {
        let said = ["hello", "goodbye"].map(str::to_owned);
        let heard = ["one", "two", "wait"].map(|word| format!("t{number} heard {word}"));
        let expected = said.into_iter().chain([format!("news of t{number}")]).chain(heard);
        for expected in expected {
            assert_eq!(line(client), expected);
        }
    }
    for _ in 0..clients.len() {
        let key = keys.recv().unwrap();
        assert_eq!(handle.post(key, "it rains".to_owned()), Ok(()));
    }
    for client in &mut clients {
        assert_eq!(line(client), "it rains");
    }
    let stats = running.drain().unwrap();
    assert_eq!((stats.handed_off, stats.taken, stats.drained), (50, 50, 50));
    for client in &mut clients {
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn x7_a_hand_off_to_a_full_pool_waits_and_loses_nothing() {
    let (sender, keys) = mpsc::channel();
    let make = move |_| Reader { topic: String::new(), keys: sender.clone() };
    let news = Pool::builder::<News>("news").max_connections(1).handler(make);
    let gate = Pool::builder::<Gate>("gate").listen("127.0.0.1:0").handler(|_| Client);
    let running = Pipeline::new().pool(gate).pool(news).start().unwrap();
    let mut first = connect(&running);
    write!(first, "news a\nwait\n").unwrap();
    keys.recv().unwrap();
    let mut second = connect(&running);
    write!(second, "news b\nleft over\n").unwrap();
    assert_eq!(line(&mut second), "goodbye");
    while running.stats().waiting < 1 {
        std::thread::yield_now();
    }
    drop(first);
    assert_eq!(line(&mut second), "news of b");
    assert_eq!(line(&mut second), "b heard left over");
    drop(second);
    running.drain().unwrap();
}

#[test]
fn pools_that_do_not_fit_together_do_not_start() {
    let missing = Pipeline::new().pool(front()).start().unwrap_err().to_string();
    assert_eq!(
        missing,
        "state `Asking` of the pool `front` calls `Upper`, and no pool is one; add it to the \
         `Pipeline`"
    );
    let upper = |name| Pool::workers::<Upper>(name, 1, |text: String| text);
    let twice = Pipeline::new().pool(front()).pool(upper("a")).pool(upper("b")).check();
    assert_eq!(
        twice.unwrap_err().to_string(),
        "state `Asking` of the pool `front` calls `Upper`, and the pools `a` and `b` both are one; \
         leave one of them out, or give it a service of its own"
    );
    let same = Pipeline::new().pool(upper("a")).pool(upper("a")).check();
    assert_eq!(
        same.unwrap_err().to_string(),
        "two pools are called `a`; give one of them another name"
    );
}

#[state_machine(start = One, job = u8, reply = u8, gone => Lost)]
enum Ping {
    #[run]
    #[to(Two)]
    One { n: u8 },
    #[call(Pong, within = 1s => Lost)]
    #[to(Done)]
    Two,
    #[run]
    #[to(Done)]
    Lost,
    #[end]
    Done,
}

#[state_machine(start = One, job = u8, reply = u8, gone => Lost)]
enum Pong {
    #[run]
    #[to(Two)]
    One { n: u8 },
    #[call(Ping, within = 1s => Lost)]
    #[to(Done)]
    Two,
    #[run]
    #[to(Done)]
    Lost,
    #[end]
    Done,
}

struct Player;

impl ping::Handler for Player {
    fn one(&mut self, n: &mut u8, _: &mut JobCx<'_>) -> ping::AfterOne {
        ping::AfterOne::Two { job: *n }
    }

    fn two(&mut self, reply: u8, _: &mut JobCx<'_>) -> ping::AfterTwo {
        ping::AfterTwo::Done { reply }
    }

    fn lost(&mut self, _: &mut JobCx<'_>) -> ping::AfterLost {
        ping::AfterLost::Done { reply: 0 }
    }
}

impl pong::Handler for Player {
    fn one(&mut self, n: &mut u8, _: &mut JobCx<'_>) -> pong::AfterOne {
        pong::AfterOne::Two { job: *n }
    }

    fn two(&mut self, reply: u8, _: &mut JobCx<'_>) -> pong::AfterTwo {
        pong::AfterTwo::Done { reply }
    }

    fn lost(&mut self, _: &mut JobCx<'_>) -> pong::AfterLost {
        pong::AfterLost::Done { reply: 0 }
    }
}

#[test]
fn pools_that_could_wait_for_each_other_for_ever_do_not_start() {
    let pipeline = Pipeline::new()
        .pool(Pool::builder::<Ping>("ping").worker(|| Player))
        .pool(Pool::builder::<Pong>("pong").worker(|| Player));
    let refused = pipeline.check().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the pools `ping` -> `pong` -> `ping` wait for room in each other, and could do so for \
         ever; add `full => State` to `Two` of `ping` or `Two` of `pong`"
    );
}

#[test]
fn a_worker_that_cannot_start_is_said_and_nothing_hangs() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let broken = Pool::builder::<Upcase>("upcase").threads(3).try_worker(move || {
        if counted.fetch_add(1, Ordering::Relaxed) == 1 {
            return Err("no database");
        }
        Ok(Worker(Arc::default()))
    });
    let patient = Pool::builder::<Patient>("patient").listen("127.0.0.1:0").handler(|_| Client);
    let error = Pipeline::new().pool(patient).pool(broken).start().unwrap_err();
    assert_eq!(error.to_string(), "the pool `upcase` cannot make a handler: no database");
}

#[test]
fn the_picture_counts_what_there_is_to_understand() {
    let upper = Pool::workers::<Upper>("upper", 1, |text: String| text);
    let pipeline = Pipeline::new().pool(front()).pool(upper);
    assert_eq!(
        pipeline.to_string(),
        "front: Front, 5 states\n    call in Asking, waits for room -> upper\n\
         upper: Upper, 2 states\n7 states in all; one machine would need up to 10\n"
    );
    assert!(pipeline.mermaid().contains("p0 -->|\"call in Asking, waits for room\"| p1"));
    assert!(pipeline.dot().contains("p0 -> p1"));
}

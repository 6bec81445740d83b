//! A subscriber that panics at each event costs lines of the log and nothing else. It is that of the
//! whole process, so these tests are a program of their own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::{Debug, Write as _};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Running, Submitter};
use tracing::field::{Field, Visit};
use tracing::span;

/// The events that were lost, as `field=value` each.
static LOST: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn lost() -> MutexGuard<'static, Vec<String>> {
    LOST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The fields of an event.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

/// Panics as `tracing-subscriber` does when stderr is a closed pipe.
struct Broken;

impl tracing::Subscriber for Broken {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        lost().push(fields.0);
        panic!("failed printing to stderr");
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Echoes its input, and panics at an `x`.
#[state_machine(start = Talk, eof => Gone)]
enum Echo {
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    #[end]
    Gone,
}

struct Client;

impl echo::Handler for Client {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
        assert_ne!(bytes, b"x", "an order to panic");
        cx.write(bytes);
        echo::AfterTalk::Talk
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        panic!("an end of a client");
    }
}

fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| tracing::subscriber::set_global_default(Broken).unwrap());
}

fn start(threads: usize) -> Running {
    install();
    let pool = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").threads(threads);
    pool.drain_within(Duration::from_millis(50)).handler(|_| Client).start().unwrap()
}

fn connect(running: &Running) -> TcpStream {
    let Address::Tcp(address) = running.addresses()[0] else { unreachable!() };
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn echo(stream: &mut TcpStream) {
    stream.write_all(b"y").unwrap();
    stream.read_exact(&mut [0]).unwrap();
}

/// More panics than there are threads, beside a client that is served before and after.
fn serves_beside_panics(threads: usize) -> Running {
    let running = start(threads);
    let mut other = connect(&running);
    echo(&mut other);
    for _ in 0..4 {
        let mut panics = connect(&running);
        panics.write_all(b"x").unwrap();
        assert_eq!(panics.read(&mut [0]).unwrap_or(0), 0, "it is ended");
        echo(&mut other);
    }
    assert!(lost().iter().any(|line| line.contains("pool=\"echo\"")));
    running
}

#[test]
fn x8_a_log_that_panics_costs_no_thread_and_no_other_connection() {
    for threads in [1, 2] {
        let running = serves_beside_panics(threads);
        let stats = running.drain().unwrap();
        assert_eq!((stats.panicked, stats.open), (4, 0), "{threads} threads");
    }
}

#[test]
fn x8_a_close_with_a_log_that_panics_ends() {
    for threads in [1, 2] {
        let running = serves_beside_panics(threads);
        let open = connect(&running);
        drop(running);
        drop(open);
    }
}

#[test]
fn x8_a_job_that_panics_with_a_log_that_panics_costs_no_thread() {
    struct Halves;
    impl Service for Halves {
        type Job = u32;
        type Reply = u32;
    }
    install();
    let pool = Pool::workers::<Halves>("halves", 1, |job| {
        assert_eq!(job % 2, 0, "it is odd");
        job / 2
    });
    let halves = pool.submitter::<Halves>().unwrap();
    let running = pool.start().unwrap();
    for _ in 0..3 {
        assert_eq!(halves.submit(3).unwrap().wait(), None);
        assert_eq!(halves.submit(4).unwrap().wait(), Some(2));
    }
    assert_eq!(running.drain().unwrap().panicked, 3);
}

/// A job that waits for another job of its own pool, whose only thread it keeps.
#[test]
fn a_handler_that_waits_for_a_job_of_its_own_pool_is_named() {
    struct Own;
    impl Service for Own {
        type Job = Option<Submitter<Own>>;
        type Reply = ();
    }
    install();
    let pool = Pool::workers::<Own>("own", 1, |own: Option<Submitter<Own>>| {
        let Some(own) = own else { return };
        let another = own.submit(None).unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        let mut another = Some(another);
        while !lost().iter().any(|line| line.contains("waits for a job of its own pool")) {
            assert!(Instant::now() < end, "no line names it: {:?}", lost());
            let waited = another.take().unwrap().wait_for(Duration::from_millis(150));
            another = Some(waited.unwrap_err());
        }
    });
    let own = pool.submitter::<Own>().unwrap();
    let running = pool.start().unwrap();
    assert_eq!(own.submit(Some(own.clone())).unwrap().wait(), Some(()));
    let line = lost().iter().find(|line| line.contains("its own pool")).cloned().unwrap();
    assert!(line.contains("pool=\"own\"") && line.contains("state="), "{line}");
    assert_eq!(running.drain().unwrap().done, 2);
}

//! Journeys from rest to rest, as spans and as a histogram (V12). The subscriber is that of the whole process, so
//! these tests are a program of their own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::fmt::Debug;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Builder, Pipeline, Running};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// A span of the runtime's.
#[derive(Clone, Debug, Default)]
struct Span {
    id: u64,
    name: String,
    parent: Option<u64>,
    fields: HashMap<String, String>,
    /// The messages of the events in it.
    events: Vec<String>,
    closed: bool,
}

/// The spans so far, and what tells that one was closed.
static SPANS: (Mutex<Vec<Span>>, Condvar) = (Mutex::new(Vec::new()), Condvar::new());

fn spans() -> MutexGuard<'static, Vec<Span>> {
    SPANS.0.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Collect;

struct Fields<'a>(&'a mut HashMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        self.0.insert(field.name().to_owned(), text.trim_matches('"').to_owned());
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collect {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let parent = context.span(id).and_then(|span| Some(span.parent()?.id().into_u64()));
        let name = attributes.metadata().name().to_owned();
        let mut span = Span { id: id.into_u64(), name, parent, ..Span::default() };
        attributes.record(&mut Fields(&mut span.fields));
        spans().push(span);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        for span in spans().iter_mut().filter(|span| span.id == id.into_u64() && !span.closed) {
            values.record(&mut Fields(&mut span.fields));
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let Some(within) = context.event_span(event) else { return };
        let mut fields = HashMap::new();
        event.record(&mut Fields(&mut fields));
        let id = within.id().into_u64();
        for span in spans().iter_mut().filter(|span| span.id == id && !span.closed) {
            span.events.extend(fields.get("message").cloned());
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        for span in spans().iter_mut().filter(|span| span.id == id.into_u64()) {
            span.closed = true;
        }
        SPANS.1.notify_all();
    }
}

/// Waits until so many spans of the pool were closed, and returns them.
fn closed(pool: &str, count: usize) -> Vec<Span> {
    let end = Instant::now() + Duration::from_secs(20);
    let mut all = spans();
    loop {
        let of_pool = |span: &&Span| span.closed && span.fields["pool"] == pool;
        let found: Vec<Span> = all.iter().filter(of_pool).cloned().collect();
        if found.len() >= count {
            return found;
        }
        let left = end.checked_duration_since(Instant::now());
        let left = left.unwrap_or_else(|| panic!("{count} spans should be closed: {found:?}"));
        all = SPANS.1.wait_timeout(all, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Answers lines, one after two bytes more and one with a job.
#[state_machine(start = Line, eof => Gone, limit => Gone, gone => Gone)]
enum Lines {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line | Body | Counting | Last)]
    #[rest]
    Line,
    #[read(exact = 2, within = 30s => Gone)]
    #[to(Line)]
    Body,
    #[call(Count, within = 30s => Gone)]
    #[to(Line)]
    Counting,
    #[run]
    #[to(Gone)]
    Last,
    #[end]
    Gone,
}

/// Counts with the help of another pool.
#[state_machine(start = Begin, job = String, reply = usize, gone => Failed)]
enum Count {
    #[run]
    #[to(Asking)]
    Begin { text: String },
    #[call(Length, within = 30s => Failed)]
    #[to(Done)]
    Asking,
    #[run]
    #[to(Done)]
    Failed,
    #[end]
    Done,
}

#[state_machine(start = Look, job = String, reply = usize)]
enum Length {
    #[run]
    #[to(Done)]
    Look { text: String },
    #[end]
    Done,
}

struct Worker;

impl lines::Handler for Worker {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> lines::AfterLine {
        tracing::info!("a line");
        match line {
            b"body" => lines::AfterLine::Body,
            b"count" => lines::AfterLine::Counting { job: "four".to_owned() },
            b"quit" => lines::AfterLine::Last,
            _ => {
                cx.write(b"ok\n");
                lines::AfterLine::Line
            }
        }
    }

    fn body(&mut self, _: &[u8; 2], cx: &mut Cx<'_>) -> lines::AfterBody {
        cx.write(b"ok\n");
        lines::AfterBody::Line
    }

    fn counting(&mut self, count: usize, cx: &mut Cx<'_>) -> lines::AfterCounting {
        writeln!(cx, "{count}");
        lines::AfterCounting::Line
    }

    fn last(&mut self, cx: &mut Cx<'_>) -> lines::AfterLast {
        cx.write(b"bye\n");
        lines::AfterLast::Gone
    }
}

impl count::Handler for Worker {
    fn begin(&mut self, text: &mut String, _: &mut JobCx<'_>) -> count::AfterBegin {
        count::AfterBegin::Asking { job: std::mem::take(text) }
    }

    fn asking(&mut self, length: usize, _: &mut JobCx<'_>) -> count::AfterAsking {
        count::AfterAsking::Done { reply: length }
    }

    fn failed(&mut self, _: &mut JobCx<'_>) -> count::AfterFailed {
        count::AfterFailed::Done { reply: 0 }
    }
}

impl length::Handler for Worker {
    fn look(&mut self, text: &mut String, _: &mut JobCx<'_>) -> length::AfterLook {
        length::AfterLook::Done { reply: text.len() }
    }
}

/// The pools `NAME`, `NAME-count` and `NAME-length`.
fn start(name: &str, front: impl FnOnce(Builder<Lines>) -> Builder<Lines>) -> Running {
    static COLLECTS: Once = Once::new();
    COLLECTS.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Collect);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    let front = front(Pool::builder(name).listen("127.0.0.1:0"));
    Pipeline::new()
        .pool(front.handler(|_| Worker))
        .pool(Pool::builder::<Count>(format!("{name}-count")).worker(|| Worker))
        .pool(Pool::builder::<Length>(format!("{name}-length")).threads(2).worker(|| Worker))
        .start()
        .unwrap()
}

struct Peer(BufReader<TcpStream>);

impl Peer {
    fn new(running: &Running) -> Self {
        let Address::Tcp(address) = running.addresses()[0] else { panic!("it listens on TCP") };
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&self, text: &str) {
        self.0.get_ref().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }
}

/// The name, the first and the last state of spans.
fn ways(spans: &[Span]) -> Vec<[&str; 3]> {
    spans.iter().map(|span| [&*span.name, &*span.fields["from"], &*span.fields["to"]]).collect()
}

fn goes_from_rest_to_rest(name: &str, front: impl FnOnce(Builder<Lines>) -> Builder<Lines>) {
    let mut handle = None;
    let running = start(name, |builder| {
        let builder = front(builder.journeys(1));
        handle = Some(builder.handle());
        builder
    });
    let mut peer = Peer::new(&running);
    peer.send("hello\n");
    assert_eq!(peer.line(), "ok\n");
    assert_eq!(closed(name, 1).len(), 1);
    peer.send("bo");
    peer.send("dy\n");
    peer.send("1");
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(closed(name, 1).len(), 1, "it is in the middle");
    peer.send("2");
    assert_eq!(peer.line(), "ok\n");
    assert_eq!(closed(name, 2).len(), 2);
    peer.send("count\n");
    assert_eq!(peer.line(), "4\n");
    assert_eq!(closed(name, 3).len(), 3);
    peer.send("quit\n");
    assert_eq!(peer.line(), "bye\n");
    let journeys = closed(name, 4);
    let to = |to| ["journey", "Line", to];
    assert_eq!(ways(&journeys), [to("Line"), to("Line"), to("Line"), to("Gone")]);
    assert!(journeys.iter().all(|span| span.parent.is_none() && span.events == ["a line"]));
    let seconds: f64 = journeys[1].fields["seconds"].parse().unwrap();
    assert!((0.06..20.0).contains(&seconds), "{seconds}");
    // The job is in the journey, and the job of that in the job.
    let (count, length) =
        (closed(&format!("{name}-count"), 1), closed(&format!("{name}-length"), 1));
    assert_eq!(ways(&count), [["job", "Begin", "Done"]]);
    assert_eq!(ways(&length), [["job", "Look", "Done"]]);
    assert_eq!((count[0].parent, length[0].parent), (Some(journeys[2].id), Some(count[0].id)));
    let measured = handle.unwrap().snapshot(Duration::from_secs(5)).journeys;
    assert_eq!(measured.count(), 4);
    assert!(measured.total() >= Duration::from_millis(60));
    let buckets: Vec<_> = measured.buckets().collect();
    let quick = buckets.iter().find(|(bound, _)| *bound == Duration::from_millis(50)).unwrap().1;
    assert!(quick <= 3, "{buckets:?}");
}

#[test]
fn v12_a_journey_goes_from_rest_to_rest_with_its_jobs() {
    goes_from_rest_to_rest("one", |builder| builder);
}

#[test]
fn v12_journeys_go_over_the_threads_of_a_port() {
    goes_from_rest_to_rest("several", |builder| builder.threads(3).max_running(2));
}

#[test]
fn v12_one_in_so_many_is_measured_and_none_without_the_setting() {
    let running = start("sampled", |builder| builder.journeys(10));
    let plain = start("plain", |builder| builder);
    for running in [&running, &plain] {
        let mut peer = Peer::new(running);
        for _ in 0..25 {
            peer.send("hello\n");
            assert_eq!(peer.line(), "ok\n");
        }
        // A peer that leaves is on no journey.
        drop(peer);
        for _ in 0..5 {
            drop(Peer::new(running));
        }
    }
    for running in [running, plain] {
        assert_eq!(running.drain().unwrap().open, 0);
    }
    assert_eq!((closed("sampled", 3).len(), closed("plain", 0).len()), (3, 0));
}

#[test]
fn v12_what_is_cut_short_ends_its_journey() {
    let running =
        start("cut", |builder| builder.journeys(1).drain_within(Duration::from_millis(1)));
    let peer = Peer::new(&running);
    peer.send("body\n");
    let end = Instant::now() + Duration::from_secs(20);
    while !spans().iter().any(|span| span.fields["pool"] == "cut") {
        assert!(Instant::now() < end, "it should begin");
        std::thread::yield_now();
    }
    assert_eq!(running.drain().unwrap().closed, 1);
    assert_eq!(ways(&closed("cut", 1)), [["journey", "Line", "Body"]]);
}

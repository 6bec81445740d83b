//! Connections that a pool opens, and the jobs that they answer: the rules C1 to C4 on real sockets.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Builder, Running};

mod jobs;
mod kept;
mod targets;

/// A client of a server that answers each line with a line.
#[state_machine(start = Free, job = String, reply = Result<String, Lost>, eof => Cut, limit => Cut)]
enum Asking {
    #[job(idle = 60s => Gone, eof => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(until = b"\n", max = 1KiB, within = 20s => Cut)]
    #[to(Free | Gone)]
    Answer,
    #[run]
    #[to(Gone)]
    Cut,
    #[end]
    Gone,
}

/// The server may have got the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lost;

struct Client;

impl asking::Handler for Client {
    fn free(&mut self, job: String, cx: &mut Cx<'_>) -> asking::AfterFree {
        writeln!(cx, "{job}");
        asking::AfterFree::Answer
    }

    fn answer(&mut self, line: &[u8], _: &mut Cx<'_>) -> asking::AfterAnswer {
        let reply = Ok(String::from_utf8_lossy(line).into_owned());
        if line.ends_with(b"bye") {
            asking::AfterAnswer::Gone { reply }
        } else {
            asking::AfterAnswer::Free { reply }
        }
    }

    fn cut(&mut self, _: &mut Cx<'_>) -> asking::AfterCut {
        asking::AfterCut::Gone { reply: Err(Lost) }
    }
}

/// A server on a thread of its own, with a thread for each connection. It answers each line with what the
/// function returns, and closes the connection for `None`.
struct Server {
    address: SocketAddr,
    /// The number of connections that it has accepted.
    accepted: Arc<AtomicUsize>,
}

impl Server {
    fn start(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    fn on(
        listener: TcpListener,
        answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let (answer, accepted) = (Arc::new(answer), Arc::<AtomicUsize>::default());
        let counter = Arc::clone(&accepted);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, answer) = (stream.unwrap(), Arc::clone(&answer));
                counter.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || serve(&stream, &*answer));
            }
        });
        Self { address, accepted }
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

fn serve(stream: &TcpStream, answer: &dyn Fn(&str) -> Option<String>) {
    for line in BufReader::new(stream).lines() {
        let Some(answer) = line.ok().and_then(|line| answer(&line)) else { return };
        // In one piece, which the system does not hold back.
        if (&mut &*stream).write_all(format!("{answer}\n").as_bytes()).is_err() {
            return;
        }
    }
}

/// A pool of clients of this target.
fn asking(target: impl std::fmt::Display) -> Builder<Asking> {
    Pool::builder::<Asking>("asking")
        .connect(target.to_string())
        .drain_within(Duration::from_secs(20))
}

fn start(builder: Builder<Asking>) -> (Running, Submitter<Asking>) {
    let pool = builder.handler(|_server| Client);
    let jobs = pool.submitter::<Asking>().unwrap();
    (pool.start().unwrap(), jobs)
}

/// The reply to a job: `None` if it is gone.
fn ask(jobs: &Submitter<Asking>, question: &str) -> Option<Result<String, Lost>> {
    let job = jobs.submit(question.to_owned()).unwrap();
    job.wait_for(Duration::from_secs(30)).unwrap_or_else(|_| panic!("no reply to `{question}`"))
}

/// A port of this machine on which nobody listens.
fn unused_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits until `happens`.
fn until(what: &str, mut happens: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happens() {
        assert!(begun.elapsed() < Duration::from_secs(20), "not in time: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

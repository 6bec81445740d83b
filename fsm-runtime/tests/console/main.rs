//! The console on real sockets: the rules V5 to V10.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{Console, Pipeline, Running};

mod answers;
mod client;
mod ends;
mod names;
mod rules;
mod safety;
mod top;
#[cfg(unix)]
mod upgrade;

use client::{Answer, ask};

/// Answers each line, and on `stop` waits until the test lets it go on.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Lines {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line | Body)]
    #[rest]
    Line,
    #[read(exact = 4, within = 30s => Gone)]
    #[to(Line)]
    Body,
    #[end]
    Gone,
}

struct Talker(Arc<Mutex<mpsc::Receiver<()>>>);

impl lines::Handler for Talker {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> lines::AfterLine {
        if line == b"stop" {
            let _ = self.0.lock().unwrap().recv_timeout(Duration::from_secs(20));
        }
        cx.write(b"ok\n");
        if line == b"body" { lines::AfterLine::Body } else { lines::AfterLine::Line }
    }

    fn body(&mut self, _: &[u8; 4], cx: &mut Cx<'_>) -> lines::AfterBody {
        cx.write(b"ok\n");
        lines::AfterBody::Line
    }
}

/// A pool with a console.
struct Served {
    running: Running,
    /// Lets a handler go on that has read `stop`.
    go_on: mpsc::Sender<()>,
}

impl Served {
    fn new(console: Console) -> Self {
        Self::named("lines", 1, console)
    }

    fn named(name: &str, threads: usize, console: Console) -> Self {
        let (go_on, waits) = mpsc::channel();
        let waits = Arc::new(Mutex::new(waits));
        let pool = Pool::builder::<Lines>(name).listen("127.0.0.1:0").threads(threads);
        let pool = pool.handler(move |_peer| Talker(Arc::clone(&waits)));
        let running = Pipeline::new().pool(pool).console(console).start().unwrap();
        Self { running, go_on }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.running.addresses()[0].to_string()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends a line, and waits for its answer.
    fn say(&self, line: &str) -> TcpStream {
        let mut stream = self.connect();
        writeln!(stream, "{line}").unwrap();
        stream.read_exact(&mut [0; 3]).unwrap();
        stream
    }

    fn console(&self) -> String {
        self.running.console().unwrap().to_string()
    }

    fn get(&self, path: &str) -> Answer {
        ask(&self.console(), &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"))
    }

    fn post(&self, path: &str, field: &str) -> Answer {
        ask(&self.console(), &format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{field}"))
    }
}

fn console() -> Console {
    Console::new("127.0.0.1:0")
}

/// Asks until the answer is as wanted.
fn eventually<T>(mut ask: impl FnMut() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = ask();
        if wanted(&answer) || Instant::now() > until {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

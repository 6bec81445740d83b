use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{Connection, get, put};

/// The time within which the server must answer a well-behaved client, whatever others do.
const MAX_LATENCY: Duration = Duration::from_secs(1);

/// A well-behaved client that sends requests all the time and checks each answer, while a test does
/// something else to the server.
#[derive(Debug)]
pub struct BackgroundClient {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Served>>,
}

#[derive(Debug, Default)]
struct Served {
    rounds: u32,
    answers: u32,
    slowest: Duration,
}

impl BackgroundClient {
    /// Connects to `kv` and starts to send requests.
    pub fn on_kv(address: SocketAddr) -> Self {
        let mut connection = Connection::new(address);
        connection.expect(&["PING"], "+PONG\r\n");
        Self::start(move |served| served.ask_kv(&mut connection))
    }

    /// Connects to `docserver` and starts to send requests, about a document named `background`.
    pub fn on_docserver(address: SocketAddr) -> Self {
        let mut connection = Connection::new(address);
        connection.ask(put("background", b"0")).expect(201);
        Self::start(move |served| served.ask_docserver(&mut connection))
    }

    fn start(mut round: impl FnMut(&mut Served) + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let mut served = Served::default();
                loop {
                    round(&mut served);
                    served.rounds += 1;
                    if stop.load(Ordering::Relaxed) {
                        return served;
                    }
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }

    /// Stops it, checks that it was served all the time, and returns a summary.
    pub fn finish(mut self) -> String {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("the thread is joined once");
        let Ok(Served { answers, slowest, .. }) = thread.join() else {
            panic!("the background client was not served; see above");
        };
        assert!(slowest < MAX_LATENCY, "the background client waited {slowest:?}");
        format!("background client: {answers} answers, the slowest after {slowest:.1?}")
    }
}

impl Served {
    fn ask_kv(&mut self, connection: &mut Connection) {
        let value = self.rounds.to_string();
        let answer = format!("${}\r\n{value}\r\n", value.len());
        let commands: [(&[&str], &str); 3] = [
            (&["PING"], "+PONG\r\n"),
            (&["SET", "background", &value], "+OK\r\n"),
            (&["GET", "background"], &answer),
        ];
        for (command, reply) in commands {
            self.timed(|| connection.expect(command, reply));
        }
    }

    /// Times GETs only, because the disk decides how long a PUT takes.
    fn ask_docserver(&mut self, connection: &mut Connection) {
        let text = self.rounds.to_string();
        connection.ask(put("background", text.as_bytes())).expect(200);
        for _ in 0..5 {
            let answer = self.timed(|| connection.ask(get("/docs/background")).expect(200));
            assert_eq!(String::from_utf8_lossy(&answer.body), text);
            let list = self.timed(|| connection.ask(get("/docs?after=backgroun&limit=1")));
            assert_eq!(list.json()["docs"][0]["name"], "background");
        }
    }

    fn timed<T>(&mut self, ask: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let answer = ask();
        self.answers += 1;
        self.slowest = self.slowest.max(start.elapsed());
        answer
    }
}

impl Drop for BackgroundClient {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

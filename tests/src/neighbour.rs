use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{Connection, get, put};

/// How long the server may let a well-behaved client wait, whatever others do.
const PATIENCE: Duration = Duration::from_secs(1);

/// A well-behaved client that is served all the time, and checks each answer.
#[derive(Debug)]
pub struct Neighbour {
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<Served>>,
}

#[derive(Debug, Default)]
struct Served {
    rounds: u32,
    answers: u32,
    slowest: Duration,
}

impl Neighbour {
    /// Connects to `kv`, and begins.
    pub fn new(address: SocketAddr) -> Self {
        let mut connection = Connection::new(address);
        connection.expect(&["PING"], "+PONG\r\n");
        Self::start(move |served| served.by_kv(&mut connection))
    }

    /// Connects to `docserver`, and begins. It has a document of the name `neighbour`.
    pub fn of_docs(address: SocketAddr) -> Self {
        let mut connection = Connection::new(address);
        connection.ask(put("neighbour", b"0")).expect(201);
        Self::start(move |served| served.by_docs(&mut connection))
    }

    fn start(mut round: impl FnMut(&mut Served) + Send + 'static) -> Self {
        let leave = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let leave = Arc::clone(&leave);
            move || {
                let mut served = Served::default();
                loop {
                    round(&mut served);
                    served.rounds += 1;
                    if leave.load(Ordering::Relaxed) {
                        return served;
                    }
                }
            }
        });
        Self { leave, thread: Some(thread) }
    }

    /// Ends it, checks that it was served all the time, and says how.
    pub fn leave(mut self) -> String {
        self.leave.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("it leaves once");
        let Ok(Served { answers, slowest, .. }) = thread.join() else {
            panic!("the neighbour was not served; see above");
        };
        assert!(slowest < PATIENCE, "the neighbour had to wait {slowest:?}");
        format!("neighbour: {answers} answers, the slowest after {slowest:.1?}")
    }
}

impl Served {
    fn by_kv(&mut self, connection: &mut Connection) {
        let value = self.rounds.to_string();
        let answer = format!("${}\r\n{value}\r\n", value.len());
        let commands: [(&[&str], &str); 3] = [
            (&["PING"], "+PONG\r\n"),
            (&["SET", "neighbour", &value], "+OK\r\n"),
            (&["GET", "neighbour"], &answer),
        ];
        for (command, reply) in commands {
            self.timed(|| connection.expect(command, reply));
        }
    }

    /// How long a PUT takes the disk decides, so only what is read is timed.
    fn by_docs(&mut self, connection: &mut Connection) {
        let text = self.rounds.to_string();
        connection.ask(put("neighbour", text.as_bytes())).expect(200);
        for _ in 0..5 {
            let answer = self.timed(|| connection.ask(get("/docs/neighbour")).expect(200));
            assert_eq!(String::from_utf8_lossy(&answer.body), text);
            let list = self.timed(|| connection.ask(get("/docs?after=neighbou&limit=1")));
            assert_eq!(list.json()["docs"][0]["name"], "neighbour");
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

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.leave.store(true, Ordering::Relaxed);
    }
}

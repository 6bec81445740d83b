use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Connection;

/// How long the server may let a well-behaved client wait, whatever others do.
const PATIENCE: Duration = Duration::from_secs(1);

/// A well-behaved client of `kv` that is served all the time, and checks each answer.
#[derive(Debug)]
pub struct Neighbour {
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<Served>>,
}

#[derive(Debug)]
struct Served {
    rounds: u32,
    slowest: Duration,
}

impl Neighbour {
    /// Connects, and begins.
    pub fn new(address: SocketAddr) -> Self {
        let leave = Arc::new(AtomicBool::new(false));
        let mut connection = Connection::new(address);
        connection.expect(&["PING"], "+PONG\r\n");
        let thread = thread::spawn({
            let leave = Arc::clone(&leave);
            move || {
                let mut served = Served { rounds: 0, slowest: Duration::ZERO };
                loop {
                    served.round(&mut connection);
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
        let Ok(Served { rounds, slowest }) = thread.join() else {
            panic!("the neighbour was not served; see above");
        };
        assert!(slowest < PATIENCE, "the neighbour had to wait {slowest:?}");
        format!("neighbour: {} answers, the slowest after {slowest:.1?}", 3 * rounds)
    }
}

impl Served {
    fn round(&mut self, connection: &mut Connection) {
        let value = self.rounds.to_string();
        let answer = format!("${}\r\n{value}\r\n", value.len());
        let commands: [(&[&str], &str); 3] = [
            (&["PING"], "+PONG\r\n"),
            (&["SET", "neighbour", &value], "+OK\r\n"),
            (&["GET", "neighbour"], &answer),
        ];
        for (command, reply) in commands {
            let start = Instant::now();
            connection.expect(command, reply);
            self.slowest = self.slowest.max(start.elapsed());
        }
        self.rounds += 1;
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.leave.store(true, Ordering::Relaxed);
    }
}

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Server;
use crate::server::anonymous;

/// The memory that an action costs a server, and its time.
#[derive(Clone, Copy, Debug)]
pub struct MemoryGrowth {
    /// The peak growth of the anonymous memory, in bytes.
    pub grown: u64,
    /// The time that the action took.
    pub took: Duration,
}

impl MemoryGrowth {
    /// Runs an action, and samples the server's memory every few milliseconds.
    pub fn of(server: &Server, action: impl FnOnce()) -> Self {
        let (pid, start) = (server.pid(), Instant::now());
        let before = anonymous(pid);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let sampler = scope.spawn(|| {
                let mut peak = 0;
                while !is_over.load(Ordering::Relaxed) {
                    peak = peak.max(anonymous(pid));
                    thread::sleep(Duration::from_millis(2));
                }
                peak
            });
            let guard = Guard(&is_over);
            action();
            drop(guard);
            let took = start.elapsed();
            let peak = sampler.join().expect("sampling does not panic");
            Self { grown: peak.saturating_sub(before), took }
        })
    }
}

/// Ends the sampling, also if the action panics.
struct Guard<'a>(&'a AtomicBool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Server;
use crate::server::anonymous;

/// What something costs a server, while it happens.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    /// The most by which its anonymous memory grew meanwhile, in bytes.
    pub grown: u64,
    /// How long it took.
    pub took: Duration,
}

impl Growth {
    /// Has something happen, and looks at the server's memory every few milliseconds.
    pub fn of(server: &Server, happens: impl FnOnce()) -> Self {
        let (pid, start) = (server.pid(), Instant::now());
        let before = anonymous(pid);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let sampler = scope.spawn(|| {
                let mut most = 0;
                while !over.load(Ordering::Relaxed) {
                    most = most.max(anonymous(pid));
                    thread::sleep(Duration::from_millis(2));
                }
                most
            });
            let guard = Guard(&over);
            happens();
            drop(guard);
            let took = start.elapsed();
            let most = sampler.join().expect("see above");
            Self { grown: most.saturating_sub(before), took }
        })
    }
}

/// Ends the sampling, also when what happens panics.
struct Guard<'a>(&'a AtomicBool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

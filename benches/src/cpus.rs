use std::thread;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Two processors: one for the server, the other for its clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpus {
    pub(crate) server: usize,
    pub(crate) client: usize,
}

impl Cpus {
    /// The first two processors that this process may use; `None` if there is only one.
    pub(crate) fn detect() -> Option<Self> {
        let allowed = sched_getaffinity(None).ok()?;
        let mut numbers = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu));
        Some(Self { server: numbers.next()?, client: numbers.next()? })
    }
}

/// Runs `work` on a new thread that is pinned to the processor, if one is given.
pub(crate) fn pinned_to<T: Send>(cpu: Option<usize>, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let worker = scope.spawn(move || {
            if let Some(cpu) = cpu {
                let mut set = CpuSet::new();
                set.set(cpu);
                // `Cpus::detect` found the processor in the set of this process.
                let _ = sched_setaffinity(None, &set);
            }
            work()
        });
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The most memory of two processes that follow each other, in bytes, as sampled: what each has in RAM (RSS).
#[derive(Clone, Copy, Debug, Default)]
pub struct Peak {
    /// Of the old one.
    pub old: u64,
    /// Of the new one.
    pub new: u64,
    /// Of both at a time.
    pub both: u64,
}

/// Looks at the memory of two processes again and again.
pub(super) struct Sampler {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Peak>,
}

impl Sampler {
    pub(super) fn start(old: u32, new: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let mut peak = Peak::default();
                while !stop.load(Ordering::Relaxed) {
                    let (olds, news) = (resident(old), resident(new));
                    peak.old = peak.old.max(olds);
                    peak.new = peak.new.max(news);
                    peak.both = peak.both.max(olds + news);
                    thread::sleep(Duration::from_millis(5));
                }
                peak
            }
        });
        Self { stop, thread }
    }

    pub(super) fn peak(self) -> Peak {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the sampler does not panic")
    }
}

/// 0 of a process that has ended.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::server::wire::WireFormat;

/// The settings of the processes of a pool.
pub(super) struct Settings<J> {
    pub(super) pool: String,
    /// `module:function`, or `file.py:function`.
    pub(super) target: String,
    pub(super) interpreter: PathBuf,
    /// Where modules are looked for first.
    pub(super) paths: Vec<PathBuf>,
    pub(super) takes: WireFormat,
    pub(super) gives: WireFormat,
    pub(super) max_reply: usize,
    pub(super) kill_after: Option<Duration>,
    /// The most jobs of a process.
    pub(super) recycle_after: Option<u64>,
    /// The most bytes of its memory.
    pub(super) recycle_above: Option<u64>,
    pub(super) start_within: Duration,
    pub(super) stop_within: Duration,
    /// The time until which somebody waits for the result of a job.
    pub(super) deadline_of: Option<Box<DeadlineOf<J>>>,
}

pub(super) type DeadlineOf<J> = dyn Fn(&J) -> Option<Instant> + Send + Sync;

impl<J> Settings<J> {
    /// The time that is left for a job: until nobody waits for its result, or its process is killed.
    pub(super) fn left_for(&self, job: &J) -> Option<Duration> {
        let deadline = self.deadline_of.as_ref().and_then(|of| of(job));
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        left.into_iter().chain(self.kill_after).min()
    }
}

impl<J> fmt::Debug for Settings<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("pool", &self.pool)
            .field("target", &self.target)
            .field("interpreter", &self.interpreter)
            .finish_non_exhaustive()
    }
}

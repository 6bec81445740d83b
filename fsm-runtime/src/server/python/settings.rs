use std::path::PathBuf;
use std::time::Duration;

use crate::server::wire::WireFormat;

/// The settings of the processes of a pool.
#[derive(Clone, Debug)]
pub(super) struct Settings {
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
}

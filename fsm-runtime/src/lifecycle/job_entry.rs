use std::sync::{Arc, OnceLock, Weak};

use crate::Service;
use crate::call::job_sink::JobSink;
use crate::call::service::PoolEntry;

/// The entry for jobs that plain threads give to a pool. It hides the type of the service, which the
/// state of the pool does not know.
#[derive(Debug, Default)]
pub(crate) struct JobEntry {
    /// A `Weak<dyn JobSink<S>>`, which is dead when the threads of the pool have ended. Unset until
    /// the pool starts.
    sink: OnceLock<PoolEntry>,
}

impl JobEntry {
    pub(super) fn open<S: Service>(&self, sink: &Arc<dyn JobSink<S>>) {
        self.open_entry(Box::new(Arc::downgrade(sink)));
    }

    /// Sets the sink: a `Weak<dyn JobSink<S>>`.
    pub(super) fn open_entry(&self, sink: PoolEntry) {
        // A pool starts once, so there is none yet.
        let _ = self.sink.set(sink);
    }

    /// The sink for jobs of `S`, if the pool has started, has not ended, and takes these jobs.
    pub(super) fn sink<S: Service>(&self) -> Option<Arc<dyn JobSink<S>>> {
        self.sink.get()?.downcast_ref::<Weak<dyn JobSink<S>>>()?.upgrade()
    }
}

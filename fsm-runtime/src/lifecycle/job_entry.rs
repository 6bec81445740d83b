use std::any::Any;
use std::sync::{Arc, OnceLock, Weak};

use crate::Service;
use crate::call::job_sink::JobSink;

/// The way for plain threads to give jobs to a pool, of which its state does not know the service.
#[derive(Debug, Default)]
pub(crate) struct JobEntry {
    /// A `Weak<dyn JobSink<S>>`, which is dead when the threads of the pool have ended. Unset until
    /// the pool starts.
    sink: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl JobEntry {
    pub(super) fn open<S: Service>(&self, sink: &Arc<dyn JobSink<S>>) {
        // A pool starts once, so there is none yet.
        let _ = self.sink.set(Box::new(Arc::downgrade(sink)));
    }

    /// The sink for jobs of `S`, if the pool has started, has not ended, and takes these jobs.
    pub(super) fn sink<S: Service>(&self) -> Option<Arc<dyn JobSink<S>>> {
        self.sink.get()?.downcast_ref::<Weak<dyn JobSink<S>>>()?.upgrade()
    }
}

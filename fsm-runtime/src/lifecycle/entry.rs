use std::sync::{Arc, OnceLock, Weak};

use crate::call::service::PoolEntry;

/// The way into a pool for plain threads: for jobs or for connections. It hides the type of the trait object,
/// which the state of the pool does not know.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// A `Weak` of a trait object, which is dead when the threads of the pool have ended. Unset until the pool
    /// starts.
    target: OnceLock<PoolEntry>,
}

impl Entry {
    pub(super) fn open<T: ?Sized + Send + Sync + 'static>(&self, target: &Arc<T>) {
        self.open_weak(Box::new(Arc::downgrade(target)));
    }

    /// Sets the target, which is in a `Weak` already.
    pub(super) fn open_weak(&self, target: PoolEntry) {
        // A pool starts once, so there is none yet.
        let _ = self.target.set(target);
    }

    /// The target, if the pool has started, has not ended, and has one of this type.
    pub(super) fn get<T: ?Sized + 'static>(&self) -> Option<Arc<T>> {
        self.target.get()?.downcast_ref::<Weak<T>>()?.upgrade()
    }
}

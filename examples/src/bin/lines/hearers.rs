use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fsm_runtime::Key;

/// The connections that hear `SHOUT`.
#[derive(Clone, Default)]
pub(crate) struct Hearers(Arc<Mutex<HashSet<Key>>>);

impl Hearers {
    pub(crate) fn keys(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

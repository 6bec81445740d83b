use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fsm_examples::Grace;
use fsm_runtime::Key;

use crate::Context;

/// The connections that hear `SHOUT`, and the end of those that never rest.
#[derive(Clone, Default)]
pub(crate) struct Hearers(Arc<(Mutex<HashSet<Key>>, Grace)>);

impl Hearers {
    pub(crate) fn keys(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a client that pipelines must go, because the server drains.
    pub(crate) fn must_leave(&self, cx: &Context<'_>) -> bool {
        self.0.1.is_over(cx.draining(), cx.now())
    }
}

use std::cell::RefCell;
use std::sync::Arc;

use crate::Spec;
use crate::call::semaphore::Semaphore;
use crate::scheduler::thread_status::ThreadStatus;

thread_local! {
    static CURRENT: RefCell<Option<CurrentPool>> = const { RefCell::new(None) };
}

/// The pool whose handlers a thread runs.
pub(crate) struct CurrentPool {
    pub(crate) name: String,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) spec: &'static Spec,
    pub(crate) status: Arc<ThreadStatus>,
}

impl CurrentPool {
    /// Makes it the pool of this thread.
    pub(crate) fn enter(self) {
        CURRENT.set(Some(self));
    }
}

/// Whether this thread runs the handlers of a pool.
pub(crate) fn runs_handlers() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

/// Whether this thread runs the handlers of a pool that is closed.
pub(crate) fn is_closed() -> bool {
    CURRENT
        .with_borrow(|current| current.as_ref().is_some_and(|current| current.permits.is_closed()))
}

/// Warns if this thread runs a handler of the pool with these permits, because the handler waits for a
/// job that it may itself hold up.
#[cold]
pub(crate) fn warn_of_own_job(permits: &Arc<Semaphore>) {
    CURRENT.with_borrow(|current| {
        let own = current.as_ref().filter(|current| Arc::ptr_eq(&current.permits, permits));
        if let Some(CurrentPool { name: pool, spec, status, .. }) = own {
            let state = spec.states[status.state()].name;
            crate::log::warn!(
                pool,
                state,
                "a handler waits for a job of its own pool, and may hold that job up for ever; call another pool"
            );
        }
    });
}

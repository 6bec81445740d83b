//! Functions that catch the panics of code that is not ours: handlers, values of the user's, subscribers.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls code that is not ours. Returns `None` if it panics.
#[inline]
pub(crate) fn caught<T>(code: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(code)).map_err(drop_panic).ok()
}

/// Drops the payload of a panic. That may panic as well; the payload of this second panic is leaked.
#[cold]
pub(crate) fn drop_panic(panic: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(another);
    }
}

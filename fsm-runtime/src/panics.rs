//! Functions that catch the panics of code that is not ours: handlers, values of the user's, subscribers.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls code that is not ours. Returns `None` if it panics.
#[inline]
pub(crate) fn caught<T>(code: impl FnOnce() -> T) -> Option<T> {
    let (mut code, mut result) = (Some(code), None);
    call(&mut || {
        if let Some(code) = code.take() {
            result = Some(code());
        }
    });
    result
}

/// Calls code that is not ours, and drops its panic. The type of the code is erased, because each machine has two dozen
/// calls of `caught`: the functions of the standard library that catch a panic would be a tenth of its code.
#[inline(never)]
pub(crate) fn call(code: &mut dyn FnMut()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(code)) {
        drop_panic(panic);
    }
}

/// Drops the payload of a panic. That may panic as well; the payload of this second panic is leaked.
#[cold]
pub(crate) fn drop_panic(panic: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(another);
    }
}

//! The locks of state that threads share. The model checks in `tests/loom` and `tests/shuttle`
//! compile some files of this crate with their own types of these names.

pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

//! What threads share a port with. Checks of all interleavings compile `shared.rs` with other types
//! of these names.

pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

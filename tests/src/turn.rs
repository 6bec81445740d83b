use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for the turn of a test that measures, or that needs the machine for itself.
///
/// `cargo test` runs one file of tests after another, so it is enough to take turns within one.
pub fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Excludes other tests while the guard lives, for a test that measures or needs the machine for
/// itself.
///
/// One lock for each test binary is enough, because `cargo test` runs binaries one after another.
pub fn one_at_a_time() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

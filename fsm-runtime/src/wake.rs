use crate::Key;

/// Wakes connections, jobs or threads that wait for an event.
pub(crate) trait Wake: Send + Sync {
    /// Causes a turn of the connection or job `key`, or wakes the thread that waits.
    fn wake(&self, key: Key);
}

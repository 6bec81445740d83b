use crate::Key;

/// Gives a turn to whoever waits for something.
pub(crate) trait Wake: Send + Sync {
    fn wake(&self, key: Key);
}

use std::time::Duration;

use crate::Key;

/// Chooses the connections and jobs that a snapshot describes. It counts all of them by state in any case.
///
/// ```
/// use fsm_runtime::Filter;
/// use std::time::Duration;
///
/// let stuck = Filter::new().state("Uploading").older(Duration::from_secs(5)).limit(20);
/// # let _ = stuck;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a filter does nothing until a snapshot is taken with it"]
pub struct Filter {
    pub(crate) pool: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) older: Option<Duration>,
    pub(crate) key: Option<Key>,
    pub(crate) label: Option<String>,
    pub(crate) limit: usize,
}

impl Filter {
    /// Lets all through, and describes the 100 oldest of each pool.
    pub fn new() -> Self {
        Self { pool: None, state: None, older: None, key: None, label: None, limit: 100 }
    }

    /// Describes none but those of the pool with this name.
    pub fn pool(mut self, name: impl Into<String>) -> Self {
        self.pool = Some(name.into());
        self
    }

    /// Describes none but those in the state with this name.
    pub fn state(mut self, name: impl Into<String>) -> Self {
        self.state = Some(name.into());
        self
    }

    /// Describes none but those of this age or more. One of unknown age is none of them.
    pub fn older(mut self, age: Duration) -> Self {
        self.older = Some(age);
        self
    }

    /// Describes none but the connection or job with this key.
    pub fn key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Describes none but those with this text in their label ([`Builder::show`](crate::Builder::show)). One that
    /// a thread runs has no label then, and a job never has.
    pub fn label(mut self, contains: impl Into<String>) -> Self {
        self.label = Some(contains.into());
        self
    }

    /// Describes so many of each pool at most, the oldest ones. A port keeps no more than so many while it
    /// looks for them, about 300 bytes each.
    pub fn limit(mut self, most: usize) -> Self {
        self.limit = most;
        self
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::new()
    }
}

//! The keys that clients watch with WATCH, and how often each has changed.

use std::collections::HashMap;

use crate::store::Bytes;

/// The watched keys. A change of a key costs nothing while no key is watched.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    keys: HashMap<Bytes, Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    watchers: usize,
    changes: u64,
}

impl Watches {
    /// Adds a watcher of the key; returns the number of the key's changes so far.
    pub(crate) fn add(&mut self, key: &[u8]) -> u64 {
        let watched = self.keys.entry(key.into()).or_default();
        watched.watchers += 1;
        watched.changes
    }

    /// Removes a watcher of the key.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        if let Some(watched) = self.keys.get_mut(key) {
            watched.watchers -= 1;
            if watched.watchers == 0 {
                self.keys.remove(key);
            }
        }
    }

    /// Counts a change of the key.
    pub(crate) fn touch(&mut self, key: &[u8]) {
        if self.keys.is_empty() {
            return;
        }
        if let Some(watched) = self.keys.get_mut(key) {
            watched.changes += 1;
        }
    }

    /// Counts a change of each watched key for which `is_changed` holds.
    pub(crate) fn touch_all(&mut self, is_changed: impl Fn(&[u8]) -> bool) {
        for (key, watched) in &mut self.keys {
            watched.changes += u64::from(is_changed(key));
        }
    }

    /// The number of the key's changes while it was watched.
    pub(crate) fn changes(&self, key: &[u8]) -> u64 {
        self.keys.get(key).map_or(0, |watched| watched.changes)
    }

    /// Whether no key is watched.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

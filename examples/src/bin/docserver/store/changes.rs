//! The changes of documents, which say whether a copy of one is still the document.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::http::Name;

/// Documents share slots: a change of one ends the copies of those that share its slot, too, and no more comes of it
/// than a lookup.
const SLOTS: usize = 1024;

/// The low bits of a slot count the changes in progress, the others those that are over.
const OVER: u64 = 1 << 16;

/// Counts the changes of all documents.
#[derive(Debug)]
pub(crate) struct Changes {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

/// The version of a document: what was looked up after it was taken is the document for as long as the version is the
/// current one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    slot: usize,
    count: u64,
}

/// A change in progress, until it is dropped.
#[derive(Debug)]
pub(super) struct Change<'a>(&'a AtomicU64);

impl Changes {
    pub(super) fn new() -> Self {
        let slots = (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        Self { slots, hasher: RandomState::new() }
    }

    /// The version of the document of this name; `None` while it changes.
    pub(crate) fn version(&self, name: &Name) -> Option<Version> {
        let slot = self.slot(name);
        // Lookups after this see the changes that are counted here.
        let count = self.slots[slot].load(Ordering::Acquire);
        (count % OVER == 0).then_some(Version { slot, count })
    }

    pub(crate) fn is_current(&self, version: Version) -> bool {
        self.slots[version.slot].load(Ordering::Acquire) == version.count
    }

    /// Begins a change. It must begin before the change can be seen, and end after that.
    pub(super) fn begin(&self, name: &Name) -> Change<'_> {
        let slot = &self.slots[self.slot(name)];
        slot.fetch_add(1, Ordering::AcqRel);
        Change(slot)
    }

    /// Begins changes of all documents, because another process may change them from now on.
    #[cfg(unix)]
    pub(super) fn begin_all(&self) {
        for slot in &self.slots {
            slot.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Ends what [`begin_all`](Changes::begin_all) has begun.
    #[cfg(unix)]
    pub(super) fn end_all(&self) {
        for slot in &self.slots {
            slot.fetch_add(OVER - 1, Ordering::AcqRel);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the remainder is small")]
    fn slot(&self, name: &Name) -> usize {
        (self.hasher.hash_one(name) % SLOTS as u64) as usize
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(OVER - 1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_ends_with_the_first_change_that_begins() {
        let changes = Changes::new();
        let (name, other) = (Name::new("a").unwrap(), Name::new("a").unwrap());
        let before = changes.version(&name).unwrap();
        assert!(changes.is_current(before));
        let (first, second) = (changes.begin(&name), changes.begin(&other));
        assert!(!changes.is_current(before) && changes.version(&name).is_none());
        drop(first);
        assert!(changes.version(&name).is_none(), "the other change is in progress");
        drop(second);
        let after = changes.version(&name).unwrap();
        assert!(changes.is_current(after) && !changes.is_current(before));
    }

    #[cfg(unix)]
    #[test]
    fn while_another_process_may_change_documents_no_version_is_current() {
        let changes = Changes::new();
        let name = Name::new("a").unwrap();
        let before = changes.version(&name).unwrap();
        changes.begin_all();
        assert!(!changes.is_current(before) && changes.version(&name).is_none());
        drop(changes.begin(&name));
        assert!(changes.version(&name).is_none());
        changes.end_all();
        let after = changes.version(&name).unwrap();
        assert!(changes.is_current(after) && !changes.is_current(before));
    }
}

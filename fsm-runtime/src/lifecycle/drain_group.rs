use std::sync::{Arc, OnceLock, Weak};

/// The pools `P` that drain together, because they hand connections over to each other: each of them
/// closes only when no connection is left in any of them.
#[derive(Debug)]
pub(crate) struct DrainGroup<P> {
    /// Empty for a pool that drains alone.
    members: OnceLock<Box<[Weak<P>]>>,
}

impl<P> DrainGroup<P> {
    /// A pool that drains alone.
    pub(crate) fn new() -> Self {
        Self { members: OnceLock::new() }
    }

    /// Sets the members, once, before any of them starts.
    pub(super) fn set(&self, members: &[Arc<P>]) {
        // A pool is in one pipeline, which does this once.
        let _ = self.members.set(members.iter().map(Arc::downgrade).collect());
    }

    /// The members that still exist, or `None` for a pool that drains alone.
    pub(super) fn members(&self) -> Option<impl Iterator<Item = Arc<P>>> {
        Some(self.members.get()?.iter().filter_map(Weak::upgrade))
    }
}

use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, OnceLock, Weak};

use crate::scheduler::observe::Observe;

/// The ports of a pool, to be interrupted and closed.
///
/// A thread that drains or closes the pool changes the phase first, and then calls a method of
/// this. A thread that starts the pool calls [`attach`](Shards::attach) first, and reads the phase
/// then. Because of the fences at least one of the two sees the change of the other one: either the
/// ports are interrupted, or they start in the new phase.
#[derive(Debug, Default)]
pub(crate) struct Shards {
    /// Unset until the pool starts. They are weak because the threads of a port own it.
    ports: OnceLock<Box<[Weak<dyn Observe>]>>,
}

impl Shards {
    pub(super) fn attach(&self, ports: Box<[Weak<dyn Observe>]>) {
        // A pool starts once, so there are none yet.
        let _ = self.ports.set(ports);
        fence(Ordering::SeqCst);
    }

    /// Makes the threads that poll return from their polls, so that they see the change.
    pub(super) fn interrupt(&self) {
        for port in self.iter() {
            port.interrupt();
        }
    }

    /// Closes all ports: their threads begin no turn any more, and end.
    pub(super) fn close(&self) {
        for port in self.iter() {
            port.close();
        }
    }

    fn iter(&self) -> impl Iterator<Item = Arc<dyn Observe>> {
        fence(Ordering::SeqCst);
        self.ports.get().into_iter().flatten().filter_map(Weak::upgrade)
    }
}

use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, OnceLock, Weak};

use crate::scheduler::observe::Observe;

/// The ports of a pool, as those see them who interrupt and close them.
///
/// A thread changes the phase of the pool first and then calls a method of this. A pool may start in
/// the same moment: it calls [`attach`](Shards::attach) first and reads the phase then. The fences see
/// to it that at least one of the two threads sees what the other one did, so no order is lost.
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

    /// Makes the threads that poll return, so that they see what has changed.
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

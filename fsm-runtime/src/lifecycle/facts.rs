use std::sync::{Arc, OnceLock, Weak};

use crate::Spec;
use crate::lifecycle::pool_state::PoolState;
use crate::scheduler::survey::Respond;

/// The facts about a pool that snapshots need.
#[derive(Debug)]
pub(crate) struct PoolFacts {
    pub(crate) name: Arc<str>,
    pub(crate) spec: &'static Spec,
    /// Unset until the pool starts.
    ports: OnceLock<Box<[Box<dyn Respond>]>>,
    /// The targets of the calls and hand-offs, once the pool is part of a pipeline.
    targets: OnceLock<Box<[CallTarget]>>,
}

/// The pool to which the call or hand-off of a state leads.
#[derive(Debug)]
pub(crate) struct CallTarget {
    /// The name of the state.
    pub(crate) state: &'static str,
    pub(crate) pool: Weak<PoolState>,
}

impl PoolFacts {
    pub(crate) fn new(name: &str, spec: &'static Spec) -> Self {
        Self { name: name.into(), spec, ports: OnceLock::new(), targets: OnceLock::new() }
    }

    pub(crate) fn set_ports(&self, ports: Box<[Box<dyn Respond>]>) {
        // A pool starts once.
        let _ = self.ports.set(ports);
    }

    pub(crate) fn set_targets(&self, targets: Box<[CallTarget]>) {
        // A pool is part of one pipeline.
        let _ = self.targets.set(targets);
    }

    pub(crate) fn ports(&self) -> impl Iterator<Item = &dyn Respond> {
        self.ports.get().into_iter().flatten().map(|port| &**port)
    }

    /// The calls and hand-offs, once the pool is part of a pipeline.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &CallTarget> {
        self.targets.get().into_iter().flatten()
    }

    /// The pool to which the call or hand-off of this state leads.
    pub(crate) fn target(&self, state: &str) -> Option<Arc<PoolState>> {
        self.targets().find(|target| target.state == state)?.pool.upgrade()
    }
}

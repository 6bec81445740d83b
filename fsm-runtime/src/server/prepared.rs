use std::any::TypeId;
use std::sync::Arc;

use crate::call::service::PoolEntry;
use crate::machine::route::RouteKind;
use crate::scheduler::observe::Observe;
use crate::{Address, PoolError};

/// What other pools can give to one, and by which type they name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepts {
    pub(crate) kind: RouteKind,
    pub(crate) target: TypeId,
}

/// Binds a pool to its addresses.
pub(crate) type Prepare = Box<dyn FnOnce() -> Result<Prepared, PoolError> + Send>;

/// A pool that is bound to its addresses.
pub(crate) struct Prepared {
    pub(crate) addresses: Vec<Address>,
    /// Makes an entry to the pool for another one.
    pub(crate) entry: Box<dyn Fn() -> PoolEntry>,
    pub(crate) threads: Vec<ThreadOf>,
    /// The ports that the watchdog is to look at.
    pub(crate) watched: Vec<Arc<dyn Observe>>,
}

/// What a thread of a pool runs, with the entries to the pools that it calls. It says when it is
/// ready, or why it will not be.
pub(crate) type ThreadOf = Box<
    dyn FnOnce(Arc<[PoolEntry]>, &dyn Fn(Result<(), PoolError>)) -> Result<(), PoolError> + Send,
>;

use std::any::{TypeId, type_name};

use crate::call::stub::{StubFactory, stub_hand_offs, stub_jobs};
use crate::{Machine, Service};

/// Where a state of a machine leads out of its pool: a `#[call(..)]` or a `#[handoff(..)]`. What it
/// leads to is looked up when the pools of a process are put together.
///
/// Generated code makes them, one for each such state, in the order of the states.
///
/// ```
/// # use fsm_runtime::{prelude::*, Route};
/// struct Reverse;
///
/// impl Service for Reverse {
///     type Job = Vec<u8>;
///     type Reply = Vec<u8>;
/// }
///
/// let route = Route::call::<Reverse>("Turning", true);
/// # drop(route);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub(crate) state: &'static str,
    pub(crate) kind: RouteKind,
    /// The service, or the machine that takes the connection.
    pub(crate) target: TypeId,
    pub(crate) target_name: &'static str,
    /// The state waits when there is no room: it has no `full` edge.
    pub(crate) parks: bool,
    /// Makes the pool that it leads to where a test plays that.
    pub(crate) stub: StubFactory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteKind {
    Call,
    HandOff,
}

impl Route {
    /// The state gives a job to `S`, and waits for room if it `parks`.
    ///
    /// ```
    /// # use fsm_runtime::{prelude::*, Route};
    /// # struct Reverse;
    /// # impl Service for Reverse { type Job = Vec<u8>; type Reply = Vec<u8>; }
    /// let with_a_full_edge = Route::call::<Reverse>("Turning", false);
    /// # drop(with_a_full_edge);
    /// ```
    pub fn call<S: Service>(state: &'static str, parks: bool) -> Self {
        let (target, target_name) = (TypeId::of::<S>(), type_name::<S>());
        Self { state, kind: RouteKind::Call, target, target_name, parks, stub: stub_jobs::<S> }
    }

    /// The state gives its connection to the pool of `M`, and waits for room if it `parks`.
    ///
    /// ```
    /// # use fsm_runtime::{prelude::*, Route};
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// let route = Route::hand_off::<Echo>("Leaving", true);
    /// # drop(route);
    /// ```
    pub fn hand_off<M: Machine>(state: &'static str, parks: bool) -> Self {
        let (target, target_name) = (TypeId::of::<M>(), type_name::<M>());
        Self {
            state,
            kind: RouteKind::HandOff,
            target,
            target_name,
            parks,
            stub: stub_hand_offs::<M, M::Seed>,
        }
    }
}

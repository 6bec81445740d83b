use std::any::{TypeId, type_name};

use crate::call::stub::{StubFactory, stub_hand_offs, stub_jobs};
use crate::{Machine, Service};

/// A way out of a machine's pool: the `#[call(..)]` or `#[handoff(..)]` of one of its states. A
/// [`Pipeline`](crate::Pipeline) looks up the pools that routes lead to.
///
/// Generated code returns the routes from [`Machine::routes`], one for each such state, in the
/// order of the states.
///
/// ```
/// use fsm_runtime::{Route, Service};
///
/// struct Reverse;
///
/// impl Service for Reverse {
///     type Job = Vec<u8>;
///     type Reply = Vec<u8>;
/// }
///
/// /// The routes of a machine with one state `#[call(Reverse, ..)] Turning`.
/// fn routes() -> Vec<Route> {
///     vec![Route::call::<Reverse>("Turning", true)]
/// }
///
/// assert_eq!(routes().len(), 1);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub(crate) state: &'static str,
    pub(crate) kind: RouteKind,
    /// The type of the service, or of the machine that takes the connection.
    pub(crate) target: TypeId,
    pub(crate) target_name: &'static str,
    /// The state waits for a permit when the other pool is full, because it has no `full` edge.
    pub(crate) waits_for_room: bool,
    /// Makes the entry to the other pool in a test, which takes the part of that pool.
    pub(crate) stub: StubFactory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteKind {
    Call,
    HandOff,
}

impl Route {
    /// The route of a state that gives a job to the pool of `S`. If
    /// `waits_for_room`, the state waits for a permit while the pool is full; otherwise it takes its
    /// `full` edge.
    pub fn call<S: Service>(state: &'static str, waits_for_room: bool) -> Self {
        let (target, target_name) = (TypeId::of::<S>(), type_name::<S>());
        Self {
            state,
            kind: RouteKind::Call,
            target,
            target_name,
            waits_for_room,
            stub: stub_jobs::<S>,
        }
    }

    /// The route of a state that gives its connection to the pool of `M`. If
    /// `waits_for_room`, the state waits for a permit while the pool is full; otherwise it takes its
    /// `full` edge.
    pub fn hand_off<M: Machine>(state: &'static str, waits_for_room: bool) -> Self {
        let (target, target_name) = (TypeId::of::<M>(), type_name::<M>());
        Self {
            state,
            kind: RouteKind::HandOff,
            target,
            target_name,
            waits_for_room,
            stub: stub_hand_offs::<M, M::Seed>,
        }
    }
}

use std::any::{TypeId, type_name};

use crate::{Machine, Service};

/// Where a state of a machine leads out of its pool: a `#[call(..)]` or a `#[handoff(..)]`. What it
/// leads to is looked up when the pools of a process are put together.
///
/// Generated code makes them, one for each such state, in the order of the states.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub(crate) state: &'static str,
    pub(crate) kind: RouteKind,
    /// The service, or the machine that takes the connection.
    pub(crate) target: TypeId,
    pub(crate) target_name: &'static str,
    /// The state waits when there is no room: it has no `full` edge.
    pub(crate) parks: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteKind {
    Call,
    HandOff,
}

impl Route {
    /// The state gives a job to `S`, and waits for room if it `parks`.
    pub fn call<S: Service>(state: &'static str, parks: bool) -> Self {
        let (target, target_name) = (TypeId::of::<S>(), type_name::<S>());
        Self { state, kind: RouteKind::Call, target, target_name, parks }
    }

    /// The state gives its connection to the pool of `M`, and waits for room if it `parks`.
    pub fn hand_off<M: Machine>(state: &'static str, parks: bool) -> Self {
        let (target, target_name) = (TypeId::of::<M>(), type_name::<M>());
        Self { state, kind: RouteKind::HandOff, target, target_name, parks }
    }
}

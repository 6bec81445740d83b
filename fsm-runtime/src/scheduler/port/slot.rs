use super::SlotState;
use super::timers::Timers;
use crate::Key;
use crate::net::readiness::Readiness;
use crate::scheduler::port_core::PortCore;

/// A connection or a job in its port, with the state of its slot.
pub(super) struct TaskSlot<T> {
    pub(super) state: SlotState,
    /// `None` while a thread runs it.
    pub(super) task: Option<T>,
}

impl<T> TaskSlot<T> {
    pub(super) fn new(task: T, ready: Readiness) -> Self {
        Self { state: SlotState::new(ready), task: Some(task) }
    }

    /// A slot for a new connection or job of a port that may drain already.
    ///
    /// Such a connection was in the backlog when the drain began. Its first turn looks for a request
    /// that has arrived, so that the request is answered.
    pub(super) fn arriving(task: T, ready: Readiness, draining: bool) -> Self {
        Self::new(task, if draining { ready | Readiness::READ } else { ready })
    }
}

/// Removes a connection or job with its slot and its entry in the timers.
pub(super) fn remove<T>(
    core: &mut PortCore<TaskSlot<T>>,
    timers: &mut Timers,
    key: Key,
) -> Option<TaskSlot<T>> {
    let slot = core.close(key)?;
    if slot.state.is_scheduled() {
        timers.made_stale(core);
    }
    Some(slot)
}

/// Adds `ready` to the readiness of all connections and jobs. Returns their keys.
pub(super) fn add_readiness_to_all<T>(
    core: &mut PortCore<TaskSlot<T>>,
    ready: Readiness,
) -> Vec<Key> {
    let keys: Vec<Key> = core.keys().collect();
    for key in &keys {
        if let Some(slot) = core.get_mut(*key) {
            slot.state.add_readiness(ready);
        }
    }
    keys
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// With eight bytes in the timers, and nothing else: no box, no buffer.
    #[test]
    fn x13_an_idle_connection_takes_a_slot_of_forty_bytes() {
        /// A machine of a byte, with one deadline.
        struct Unit;
        impl crate::Service for Unit {
            type Job = ();
            type Reply = ();
        }
        type Idle = crate::connection::ConnectionTask<
            crate::job::one_step::OneStep<Unit>,
            (),
            crate::net::socket::Socket,
        >;
        assert_eq!(PortCore::<TaskSlot<Idle>>::SLOT, 40);
    }
}

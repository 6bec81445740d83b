//! A port as its handlers and the watchdog see it.

use std::sync::{Arc, PoisonError};

use super::Port;
use super::single_thread::ALONE;
use crate::Spec;
use crate::scheduler::alarm::Alarm;
use crate::scheduler::observe::{BlockTracker, Observe, RunningTurn};
use crate::scheduler::port_core::Thread;
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::Task;

impl<T: Task + Send> BlockTracker for Port<T> {
    fn block(&self, thread: Thread, turn: u64, how: Blocked) -> bool {
        if let [status] = &*self.statuses {
            // Nobody else could run anything meanwhile, but it needs no warning.
            return how == Blocked::Declared && status.block();
        }
        self.shared.locked(|port| port.block(thread, turn, how))
    }

    fn unblock(&self, thread: Thread, turn: u64, how: Blocked) {
        if let [status] = &*self.statuses {
            status.unblock();
            return;
        }
        self.shared.locked(|port| port.unblock(thread, turn, how));
    }
}

impl<T: Task + Send> Observe for Port<T> {
    fn running(&self, into: &mut Vec<RunningTurn>) -> bool {
        let ids = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if let [status] = &*self.statuses {
            if let Some(key) = status.key() {
                let blocked = status.blocks().then_some(Blocked::Declared);
                let (turn, state, id) = (status.turns(), status.state(), ids[ALONE].clone());
                into.push(RunningTurn { thread: ALONE, key, turn, blocked, state, id });
            }
            return false;
        }
        self.shared.locked(|port| {
            for (thread, id) in ids.iter().enumerate() {
                let (Some(key), Some(turn)) = (port.running(thread), port.turn(thread)) else {
                    continue;
                };
                let blocked = port.blocked(thread);
                let state = self.statuses[thread].state();
                into.push(RunningTurn { thread, key, turn, blocked, state, id: id.clone() });
            }
            port.core().could_help()
        })
    }

    fn is_up(&self) -> bool {
        // Others call the watchdog before each turn, when they have been given it under the port's lock.
        self.is_single_threaded() && self.injected().up
    }

    fn spec(&self) -> &'static Spec {
        T::SPEC
    }

    fn set_alarm(&self, watchdog: &Arc<Alarm>) {
        // A pool starts once.
        let _ = self.watchdog.set(Arc::clone(watchdog));
    }

    fn interrupt(&self) {
        Port::interrupt(self);
    }

    fn drain(&self) {
        Port::drain(self);
    }

    fn close(&self) {
        Port::close(self);
    }
}

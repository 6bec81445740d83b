//! A port as its handlers and the watchdog see it.

use std::sync::{Arc, PoisonError};

use super::Port;
use super::alone::ALONE;
use crate::Spec;
use crate::core::Thread;
use crate::seats::{Blocks, Runs, Seats};
use crate::shell::Blocked;
use crate::task::Task;
use crate::watchdog::Alarm;

impl<T: Task + Send> Blocks for Port<T> {
    fn block(&self, thread: Thread, turn: u64, how: Blocked) -> bool {
        if let [heartbeat] = &*self.heartbeats {
            // Nobody else could run anything meanwhile, but it needs no warning.
            return how == Blocked::Declared && heartbeat.block();
        }
        self.shell.locked(|port| port.block(thread, turn, how))
    }

    fn unblock(&self, thread: Thread, turn: u64, how: Blocked) {
        if let [heartbeat] = &*self.heartbeats {
            heartbeat.unblock();
            return;
        }
        self.shell.locked(|port| port.unblock(thread, turn, how));
    }
}

impl<T: Task + Send> Seats for Port<T> {
    fn running(&self, into: &mut Vec<Runs>) -> bool {
        let ids = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if let [heartbeat] = &*self.heartbeats {
            if let Some(key) = heartbeat.key() {
                let blocked = heartbeat.blocks().then_some(Blocked::Declared);
                let (turn, state, id) = (heartbeat.turns(), heartbeat.state(), ids[ALONE].clone());
                into.push(Runs { thread: ALONE, key, turn, blocked, state, id });
            }
            return false;
        }
        self.shell.locked(|port| {
            for (thread, id) in ids.iter().enumerate() {
                let (Some(key), Some(turn)) = (port.running(thread), port.turn(thread)) else {
                    continue;
                };
                let blocked = port.blocked(thread);
                let state = self.heartbeats[thread].state();
                into.push(Runs { thread, key, turn, blocked, state, id: id.clone() });
            }
            port.core().could_help()
        })
    }

    fn is_up(&self) -> bool {
        // Others call the watchdog before each turn, when they have been given it under the port's lock.
        self.is_alone() && self.posted().up
    }

    fn spec(&self) -> &'static Spec {
        T::SPEC
    }

    fn watched_by(&self, watchdog: &Arc<Alarm>) {
        // A pool starts once.
        let _ = self.watchdog.set(Arc::clone(watchdog));
    }

    fn interrupt(&self) {
        Port::interrupt(self);
    }

    fn close(&self) {
        Port::close(self);
    }
}

//! When connections and jobs must have a turn at the latest.

use super::slot::TaskSlot;
use crate::Key;
use crate::scheduler::port_core::PortCore;
use crate::scheduler::task::Task;
use crate::scheduler::timer_heap::TimerHeap;

/// Deadlines looked at between two polls: a storm of them must not keep others waiting (X6).
const EXPIRIES: usize = 1024;

/// The timers of a port, beside the slots that they are for.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: TimerHeap,
}

impl Timers {
    /// The time of the first entry; the largest if there is none.
    #[inline]
    pub(super) fn next(&self) -> u64 {
        self.heap.next().unwrap_or(u64::MAX)
    }

    /// Gives a slot an entry before the one that it has.
    pub(super) fn schedule<T>(&mut self, core: &mut PortCore<TaskSlot<T>>, key: Key, due: u64) {
        let Some(slot) = core.get_mut(key) else { return };
        let overtaken = slot.state.is_scheduled();
        slot.state.schedule(self.heap.insert(due.max(1), key.slot()));
        if overtaken {
            self.made_stale(core);
        }
    }

    /// A slot has no use any more for one of the entries.
    pub(super) fn made_stale<T>(&mut self, core: &PortCore<TaskSlot<T>>) {
        self.heap.made_stale(|at, slot| {
            core.get_by_slot(slot).is_some_and(|(_, slot)| slot.state.scheduled() == at)
        });
    }

    /// Inserts a packet for each connection or job whose time has come.
    pub(super) fn expire<T: Task>(&mut self, core: &mut PortCore<TaskSlot<T>>, now: u64) {
        for _ in 0..EXPIRIES {
            let Some((at, slot)) = self.heap.pop(now) else { return };
            let found = core.get_by_slot(slot).filter(|(_, slot)| slot.state.scheduled() == at);
            let Some(key) = found.map(|(key, _)| key) else {
                self.heap.met_stale();
                continue;
            };
            let Some(slot) = core.get_mut(key) else { continue };
            slot.state.unschedule();
            // While it is on a thread its deadline may change: it is asked when the turn is over.
            let Some(due) = slot.task.as_ref().map(Task::due) else { continue };
            if due <= now {
                core.enqueue(key);
            } else if due != u64::MAX {
                // It was put off since.
                slot.state.schedule(self.heap.insert(due.max(1), key.slot()));
            }
        }
    }
}

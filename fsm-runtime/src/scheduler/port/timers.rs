//! The times at which connections and jobs must have a turn at the latest.

use super::slot::TaskSlot;
use crate::Key;
use crate::scheduler::port_core::PortCore;
use crate::scheduler::task::Task;
use crate::scheduler::timer_heap::TimerHeap;

/// The most entries that are looked at between two polls, so that a storm of deadlines does not hold up
/// other connections (X6).
const EXPIRIES: usize = 1024;

/// The timers of a port, beside the slots that they are for.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: TimerHeap,
}

impl Timers {
    /// The time of the first entry; the largest number if there is none.
    #[inline]
    pub(super) fn next(&self) -> u64 {
        self.heap.next().unwrap_or(u64::MAX)
    }

    /// Inserts an entry for a slot. An entry that the slot has already becomes stale.
    pub(super) fn schedule<T>(&mut self, core: &mut PortCore<TaskSlot<T>>, key: Key, due: u64) {
        let Some(slot) = core.get_mut(key) else { return };
        let had_entry = slot.state.is_scheduled();
        slot.state.schedule(self.heap.insert(due.max(1), key.slot()));
        if had_entry {
            self.made_stale(core);
        }
    }

    /// Notes that one of the entries is stale.
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
            // While a thread runs the task its deadline may change: the task is asked after the turn.
            let Some(due) = slot.task.as_ref().map(Task::due) else { continue };
            if due <= now {
                core.enqueue(key);
            } else if due != u64::MAX {
                // The deadline was moved further away since.
                slot.state.schedule(self.heap.insert(due.max(1), key.slot()));
            }
        }
    }
}

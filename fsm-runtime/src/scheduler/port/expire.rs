//! When connections and jobs must have a turn at the latest: their marks beside the timers.

use super::{Guarded, Slot};
use crate::Key;
use crate::scheduler::port_core::Input;
use crate::scheduler::shared::Locked;
use crate::scheduler::task::Task;

/// Deadlines looked at between two polls: a storm of them must not keep others waiting (X6).
const EXPIRIES: usize = 1024;

/// Gives it an entry in the timers, before the one that it has.
pub(super) fn schedule<T>(port: &mut Locked<'_, Slot<T>, Guarded>, key: Key, due: u64) {
    let (core, guarded) = port.both();
    let Some(slot) = core.get_mut(key) else { return };
    let overtaken = slot.mark.is_scheduled();
    slot.mark.schedule(guarded.timers.insert(due.max(1), key.slot()));
    let early = due < guarded.sleeps_until;
    // Once is enough: it comes back, and looks at all of them.
    guarded.sleeps_until = guarded.sleeps_until.min(due);
    if overtaken {
        made_stale(port);
    }
    if early && port.core().polls_asleep() {
        port.interrupt();
    }
}

/// An entry of the timers means nothing any more.
pub(super) fn made_stale<T>(port: &mut Locked<'_, Slot<T>, Guarded>) {
    let (core, guarded) = port.both();
    guarded
        .timers
        .made_stale(|at, slot| core.at(slot).is_some_and(|(_, slot)| slot.mark.scheduled() == at));
}

/// Gives a turn to those whose time has come.
pub(super) fn expire<T: Task>(port: &mut Locked<'_, Slot<T>, Guarded>, now: u64) {
    for _ in 0..EXPIRIES {
        let (core, guarded) = port.both();
        let Some((at, slot)) = guarded.timers.pop(now) else { return };
        let found = core.at(slot).filter(|(_, slot)| slot.mark.scheduled() == at);
        let Some(key) = found.map(|(key, _)| key) else {
            guarded.timers.met_stale();
            continue;
        };
        let Some(slot) = core.get_mut(key) else { continue };
        slot.mark.unschedule();
        // While it is on a thread its deadline may change: it is asked when the turn is over.
        let Some(due) = slot.task.as_ref().map(Task::due) else { continue };
        if due <= now {
            port.on(Input::Event(key));
        } else if due != u64::MAX {
            // It was put off since.
            slot.mark.schedule(guarded.timers.insert(due.max(1), key.slot()));
        }
    }
}

//! Walks over the connections and jobs of a port, for snapshots.
//!
//! A walk costs nothing while nobody asks: it is posted as a packet whose key nobody has, and the branch that
//! finds it is the one for packets of connections that have ended.

use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::slot::TaskSlot;
use super::{MultiThread, SingleThread};
use crate::Key;
use crate::panics::caught;
use crate::scheduler::port_core::{PortCore, PortInput};
use crate::scheduler::survey::EndAnswer;
use crate::scheduler::task::Task;

/// The time between two steps on a thread that is none of the port's.
const PAUSE: Duration = Duration::from_micros(50);

/// A walk over the connections and jobs of a port, in steps between which the port does other things.
pub(crate) trait Walk<T>: Send {
    /// Visits some slots. Returns whether the walk goes on.
    fn step(&mut self, slots: &mut Slots<'_, T>) -> bool;

    /// Whether nobody waits for the result any more.
    fn is_abandoned(&self) -> bool;
}

/// The connections and jobs of a port, during a step of a walk.
pub(crate) struct Slots<'a, T> {
    core: &'a mut PortCore<TaskSlot<T>>,
    /// Jobs that wait for their first turn and have no slot yet.
    waiting: Option<&'a VecDeque<T>>,
    /// The turns that threads run without the lock: the key, and the index of the state.
    running: &'a [(Key, usize)],
    /// Those that get a turn after the step.
    due: Vec<Key>,
}

/// A connection or job that a walk visits.
pub(crate) enum Visited<'a, T> {
    /// It waits for an event, or is `queued` for a turn.
    Waits { task: &'a T, queued: bool },
    /// A thread runs it, in the state with this index.
    Runs(usize),
}

impl<T> Slots<'_, T> {
    /// A number that all slots in use are below.
    pub(crate) fn bound(&self) -> usize {
        self.core.slot_bound()
    }

    /// The connection or job in the slot with this number.
    pub(crate) fn at(&self, slot: usize) -> Option<(Key, Visited<'_, T>)> {
        let (key, slot) = self.core.get_by_slot(slot)?;
        let visited = match &slot.task {
            Some(task) => Visited::Waits { task, queued: self.core.is_queued(key) },
            None => Visited::Runs(self.running.iter().find(|(running, _)| *running == key)?.1),
        };
        Some((key, visited))
    }

    /// The connection or job with this key.
    pub(crate) fn get(&self, key: Key) -> Option<Visited<'_, T>> {
        self.at(key.slot()).filter(|(found, _)| *found == key).map(|(_, visited)| visited)
    }

    /// Makes the next turn of the connection with this key end it.
    pub(crate) fn end(&mut self, key: Key) -> EndAnswer
    where
        T: Task,
    {
        let Some(slot) = self.core.get_mut(key) else { return EndAnswer::Gone };
        let Some(task) = &mut slot.task else { return EndAnswer::Runs };
        if !task.end_next() {
            return EndAnswer::Job;
        }
        self.due.push(key);
        EndAnswer::Ends
    }

    /// Makes the next turn of the connection with this key end it for a newcomer, unless it begins something.
    /// Returns whether that is possible.
    pub(crate) fn shed(&mut self, key: Key) -> bool
    where
        T: Task,
    {
        let task = self.core.get_mut(key).and_then(|slot| slot.task.as_mut());
        let sheds = task.is_some_and(Task::shed_next);
        if sheds {
            self.due.push(key);
        }
        sheds
    }

    /// Gives a turn to the connection in the slot with this number, in which it leaves for another process if it can and
    /// is asked to.
    #[cfg(all(feature = "pool", unix))]
    pub(crate) fn give_turn(&mut self, slot: usize, leaves_at_odd_time: Option<bool>)
    where
        T: Task,
    {
        let Some((key, _)) = self.core.get_by_slot(slot) else { return };
        let task = self.core.get_mut(key).and_then(|slot| slot.task.as_mut());
        if let (Some(task), Some(odd_time)) = (task, leaves_at_odd_time) {
            task.move_next(odd_time);
        }
        // One that a thread runs has another turn after this one, which may have begun before.
        self.due.push(key);
    }

    /// The jobs that wait for their first turn and have no slot yet.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &T> {
        self.waiting.into_iter().flatten()
    }
}

/// The walks that were posted to a port of one thread.
pub(super) struct PostedWalks<T> {
    walks: Vec<Box<dyn Walk<T>>>,
    /// The packet that asks for them is on its way.
    posted: bool,
}

impl<T> Default for PostedWalks<T> {
    fn default() -> Self {
        Self { walks: Vec::new(), posted: false }
    }
}

#[cfg(test)]
impl<T> PostedWalks<T> {
    pub(super) fn len(&self) -> usize {
        self.walks.len()
    }
}

impl<T: Task> SingleThread<T> {
    pub(super) fn walks(&self) -> MutexGuard<'_, PostedWalks<T>> {
        self.walks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn walk_key(&self) -> Key {
        Key::of_no_slot(self.common.number)
    }

    pub(super) fn is_walk(&self, key: Key) -> bool {
        key == self.walk_key()
    }

    /// Posts a walk to the thread. It is dropped if the thread has ended.
    pub(super) fn walk(&self, walk: Box<dyn Walk<T>>) {
        let mut posted = self.walks();
        if self.common.has_ended() {
            return;
        }
        // While a thread is stuck, those who ask again and again leave nothing behind.
        posted.walks.retain(|walk| !walk.is_abandoned());
        posted.walks.push(walk);
        let first = !std::mem::replace(&mut posted.posted, true);
        drop(posted);
        if first {
            self.wake(self.walk_key());
        }
    }

    /// Does a step of each walk, on the thread of the port. Those that are not over go on in the next round.
    #[cold]
    pub(super) fn step_walks(&self, core: &mut PortCore<TaskSlot<T>>, waiting: &VecDeque<T>) {
        let mut posted = self.walks();
        posted.posted = false;
        let mut walks = std::mem::take(&mut posted.walks);
        drop(posted);
        let mut slots = Slots { core, waiting: Some(waiting), running: &[], due: Vec::new() };
        walks.retain_mut(|walk| !walk.is_abandoned() && goes_on(walk.as_mut(), &mut slots));
        let Slots { core, due, .. } = slots;
        for key in due {
            core.enqueue(key);
        }
        for walk in walks {
            self.walk(walk);
        }
    }
}

impl<T: Task> MultiThread<T> {
    /// Walks on this thread, because the port's lock is never held while handlers run.
    pub(super) fn walk(&self, mut walk: Box<dyn Walk<T>>) {
        let mut running = Vec::new();
        while !walk.is_abandoned() {
            let more = self.shared.locked(|port| {
                running.clear();
                for (thread, status) in self.common.statuses.iter().enumerate() {
                    running.extend(port.running(thread).map(|key| (key, status.state())));
                }
                let (core, due) = (port.core(), Vec::new());
                let mut slots = Slots { core, waiting: None, running: &running, due };
                let more = goes_on(walk.as_mut(), &mut slots);
                for key in slots.due {
                    port.handle(PortInput::Post(key));
                }
                more
            });
            if !more {
                return;
            }
            // The lock is not fair: without a pause this thread could take it again and again.
            std::thread::sleep(PAUSE);
        }
    }
}

/// Does a step of a walk. A panic of it, which only the user's expressions for times can cause, ends it.
fn goes_on<T>(walk: &mut dyn Walk<T>, slots: &mut Slots<'_, T>) -> bool {
    caught(|| walk.step(slots)).unwrap_or(false)
}

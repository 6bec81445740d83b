//! The walk that ends the connection of a port that is longest at rest.

use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::TimeSource;
use crate::machine::deadlines::waits_since;
use crate::machine::environment::EnvironmentOf;
use crate::machine::visible::Visible;
use crate::scheduler::port::{Slots, Visited, Walk};
use crate::scheduler::resting::{RestingTask, RestingTasks, ShedRequest};
use crate::{Key, Machine};

/// The most slots that a step visits.
const SLOTS_A_STEP: usize = 4_096;
/// The least number of milliseconds for which a connection must have been at rest. A peer that has just
/// connected has this time for its first bytes, also if the first packet with them is lost (the first
/// retransmission of TCP comes after a second at most), and so has one between two requests.
const LEAST: u64 = 1_000;

/// A walk over a port that ends the connection which is longest at rest (V11).
///
/// It takes one that an earlier walk has found, and searches all slots only when there is none left.
pub(crate) struct ShedWalk<M: Machine> {
    request: ShedRequest,
    resting: Arc<Mutex<RestingTasks>>,
    environment: EnvironmentOf<M>,
    time: Arc<dyn TimeSource + Send + Sync>,
    search: Option<Search>,
}

/// A search that goes on in the next step.
#[derive(Default)]
struct Search {
    /// The next slot.
    at: usize,
    /// Those that are longest at rest so far, the one with the shortest rest on top.
    longest: BinaryHeap<RestingTask>,
}

impl<M: Machine> ShedWalk<M> {
    pub(crate) fn new(
        request: ShedRequest,
        resting: Arc<Mutex<RestingTasks>>,
        environment: EnvironmentOf<M>,
        time: Arc<dyn TimeSource + Send + Sync>,
    ) -> Self {
        Self { request, resting, environment, time, search: None }
    }

    /// Ends the connection that is longest at rest of those that were found. Returns whether there is one.
    fn end_one<T: Visible<M>>(&mut self, slots: &mut Slots<'_, T>, now: u64) -> bool {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that have done something since they were found are no longer what they were found to be.
        while let Some(RestingTask { since, key }) = resting.take(now.saturating_sub(LEAST)) {
            let rests = slots.get(key).and_then(|visited| self.rests_since(&visited));
            if rests == Some(since) && !self.awaits_reply(key) && slots.shed(key) {
                self.request.ends();
                return true;
            }
        }
        false
    }

    /// Searches the next slots. Returns what is found when all were searched.
    fn search<T: Visible<M>>(&mut self, slots: &Slots<'_, T>) -> Option<Vec<RestingTask>> {
        let Search { at, mut longest } = self.search.take().unwrap_or_default();
        let bound = slots.bound();
        let until = bound.min(at + SLOTS_A_STEP);
        for slot in at..until {
            let Some((key, visited)) = slots.at(slot) else { continue };
            let Some(since) = self.rests_since(&visited) else { continue };
            let task = RestingTask { since, key };
            if longest.len() < RestingTasks::MOST {
                longest.push(task);
            } else if let Some(mut shortest) = longest.peek_mut().filter(|top| task < **top) {
                *shortest = task;
            }
        }
        if until == bound {
            return Some(longest.into_sorted_vec());
        }
        self.search = Some(Search { at: until, longest });
        None
    }

    /// The time since which a connection has been at rest; `None` if it is not, or no deadline tells.
    fn rests_since<T: Visible<M>>(&self, visited: &Visited<'_, T>) -> Option<u64> {
        let Visited::Waits { task, queued: false } = visited else { return None };
        if !task.is_at_rest() || M::SPEC.states[task.state()].keep {
            return None;
        }
        let settings = &self.environment.settings;
        waits_since(task.deadlines(), |index| task.machine().timer(index, settings))
    }

    /// Whether the connection waits for the reply to a job that it has given away.
    fn awaits_reply(&self, key: Key) -> bool {
        M::SPEC.messages && self.environment.mailboxes.awaits_reply(key, true)
    }
}

impl<M: Machine, T: Visible<M>> Walk<T> for ShedWalk<M> {
    fn step(&mut self, slots: &mut Slots<'_, T>) -> bool {
        let now = self.time.now().millis;
        if self.search.is_none() {
            if self.end_one(slots, now) {
                return false;
            }
            let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
            if !resting.may_search(now) {
                return false;
            }
        }
        let Some(found) = self.search(slots) else { return true };
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).searched(found, now);
        self.end_one(slots, now);
        false
    }

    fn is_abandoned(&self) -> bool {
        false
    }
}

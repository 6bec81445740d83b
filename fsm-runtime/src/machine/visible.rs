//! A port whose connections or jobs can be looked at, ended, shed and moved between their turns.

use std::fmt;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use crate::clock::TimeSource;
use crate::machine::environment::EnvironmentOf;
use crate::machine::label::Show;
use crate::machine::shed::ShedWalk;
use crate::machine::survey::SurveyWalk;
use crate::scheduler::observe::Observe;
#[cfg(all(feature = "pool", unix))]
use crate::scheduler::port::Visited;
use crate::scheduler::port::{Port, Slots, Walk};
use crate::scheduler::resting::{RestingTasks, ShedRequest};
use crate::scheduler::survey::{Answer, EndAnswer, Question, Respond};
use crate::scheduler::task::Task;
use crate::{Key, Machine, Peer};

/// The most connections that get a turn to leave in a step.
#[cfg(all(feature = "pool", unix))]
const TURNS_A_STEP: usize = 256;

/// A connection or job of the machine `M`, as a snapshot sees it between two turns.
pub(crate) trait Visible<M: Machine>: Task {
    type Handler: 'static;

    /// The handler of a connection, from its first turn on.
    fn handler(&self) -> Option<&Self::Handler>;

    fn machine(&self) -> &M;
    fn deadlines(&self) -> &M::Deadlines;
    fn peer(&self) -> Option<Peer>;
    fn unread(&self) -> usize;
    fn unsent(&self) -> usize;

    /// Whether it is a connection that stands still while its pool does.
    #[cfg(all(feature = "pool", unix))]
    fn is_still(&self) -> bool {
        false
    }
}

/// A port, with all that a walk over it needs.
pub(crate) struct VisiblePort<M: Machine, T: Visible<M>> {
    pub(crate) number: usize,
    /// Weak because the threads of the port own it.
    pub(crate) port: Weak<Port<T>>,
    pub(crate) environment: EnvironmentOf<M>,
    pub(crate) time: Arc<dyn TimeSource + Send + Sync>,
    /// Labels the connections.
    pub(crate) show: Option<Arc<Show<T::Handler>>>,
    /// The connections that are longest at rest, in a pool that ends these.
    pub(crate) resting: Arc<Mutex<RestingTasks>>,
}

impl<M: Machine, T: Visible<M> + Send + 'static> Respond for VisiblePort<M, T> {
    fn ask(&self, question: Arc<Question>, answers: Sender<Answer>) {
        let Some(port) = self.port.upgrade() else { return };
        let (environment, time) = (self.environment.clone(), Arc::clone(&self.time));
        let walk =
            SurveyWalk::<M, T::Handler>::new(self.number, question, answers, environment, time);
        port.walk(Box::new(walk.labelled(self.show.clone())));
    }

    fn port(&self) -> Option<Arc<dyn Observe>> {
        let port: Arc<dyn Observe> = self.port.upgrade()?;
        (!port.has_ended()).then_some(port)
    }

    fn load(&self) -> usize {
        self.port.upgrade().map_or(0, |port| port.load())
    }

    fn end(&self, key: Key, until: Instant, answers: Sender<EndAnswer>) {
        if let Some(port) = self.port.upgrade() {
            port.walk(Box::new(EndWalk { key, until, answers }));
        }
    }

    fn shed(&self, request: ShedRequest) {
        if let Some(port) = self.port.upgrade() {
            let (resting, time) = (Arc::clone(&self.resting), Arc::clone(&self.time));
            let environment = self.environment.clone();
            port.walk(Box::new(ShedWalk::<M>::new(request, resting, environment, time)));
        }
    }

    #[cfg(all(feature = "pool", unix))]
    fn move_out(&self, odd_time: bool) {
        if let Some(port) = self.port.upgrade() {
            port.walk(Box::new(TurnWalk { leaves_at_odd_time: Some(odd_time), at: 0 }));
        }
    }

    #[cfg(all(feature = "pool", unix))]
    fn give_turns(&self) {
        if let Some(port) = self.port.upgrade() {
            port.walk(Box::new(TurnWalk { leaves_at_odd_time: None, at: 0 }));
        }
    }

    #[cfg(all(feature = "pool", unix))]
    fn count_still(&self, until: Instant, answers: Sender<usize>) {
        if let Some(port) = self.port.upgrade() {
            let environment = self.environment.clone();
            port.walk(Box::new(StillWalk { environment, until, answers, still: 0, at: 0 }));
        }
    }
}

impl<M: Machine, T: Visible<M>> fmt::Debug for VisiblePort<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisiblePort").field("number", &self.number).finish_non_exhaustive()
    }
}

/// A walk to one slot, which ends the connection there.
struct EndWalk {
    key: Key,
    /// Nobody waits for the answer after this.
    until: Instant,
    answers: Sender<EndAnswer>,
}

impl<T: Task> Walk<T> for EndWalk {
    fn step(&mut self, slots: &mut Slots<'_, T>) -> bool {
        let answer = slots.end(self.key);
        if answer == EndAnswer::Runs {
            return true;
        }
        // Nobody waits for it any more if this fails.
        let _ = self.answers.send(answer);
        false
    }

    fn is_abandoned(&self) -> bool {
        self.until <= Instant::now()
    }
}

/// A walk over all slots, which gives each connection a turn.
#[cfg(all(feature = "pool", unix))]
struct TurnWalk {
    /// Each leaves for another process if it can, for the first, third or another odd time or not.
    leaves_at_odd_time: Option<bool>,
    /// The next slot.
    at: usize,
}

#[cfg(all(feature = "pool", unix))]
impl<T: Task> Walk<T> for TurnWalk {
    fn step(&mut self, slots: &mut Slots<'_, T>) -> bool {
        let bound = slots.bound();
        let until = bound.min(self.at + TURNS_A_STEP);
        for slot in self.at..until {
            slots.give_turn(slot, self.leaves_at_odd_time);
        }
        self.at = until;
        until < bound
    }

    fn is_abandoned(&self) -> bool {
        false
    }
}

/// A walk over all slots, which counts the connections that stand still.
#[cfg(all(feature = "pool", unix))]
struct StillWalk<M: Machine> {
    environment: EnvironmentOf<M>,
    /// Nobody waits for the answer after this.
    until: Instant,
    answers: Sender<usize>,
    still: usize,
    /// The next slot.
    at: usize,
}

#[cfg(all(feature = "pool", unix))]
impl<M: Machine, T: Visible<M>> Walk<T> for StillWalk<M> {
    fn step(&mut self, slots: &mut Slots<'_, T>) -> bool {
        let bound = slots.bound();
        let until = bound.min(self.at + TURNS_A_STEP);
        for (key, visited) in (self.at..until).filter_map(|slot| slots.at(slot)) {
            let Visited::Waits { task, .. } = visited else { continue };
            let is_still = task.is_still() && self.environment.mailboxes.is_unused(key);
            self.still += usize::from(is_still);
        }
        self.at = until;
        if until == bound {
            // Nobody waits for it any more if this fails.
            let _ = self.answers.send(self.still);
        }
        until < bound
    }

    fn is_abandoned(&self) -> bool {
        self.until <= Instant::now()
    }
}

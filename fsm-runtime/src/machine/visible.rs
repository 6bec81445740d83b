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
            port.walk(Box::new(MoveWalk { odd_time, at: 0 }));
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

/// A walk over all slots, which gives each connection a turn to leave for another process.
#[cfg(all(feature = "pool", unix))]
struct MoveWalk {
    odd_time: bool,
    /// The next slot.
    at: usize,
}

#[cfg(all(feature = "pool", unix))]
impl<T: Task> Walk<T> for MoveWalk {
    fn step(&mut self, slots: &mut Slots<'_, T>) -> bool {
        let bound = slots.bound();
        let until = bound.min(self.at + TURNS_A_STEP);
        for slot in self.at..until {
            slots.move_out(slot, self.odd_time);
        }
        self.at = until;
        until < bound
    }

    fn is_abandoned(&self) -> bool {
        false
    }
}

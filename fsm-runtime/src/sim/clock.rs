use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::clock::ManualTime;
use crate::key::Generations;

/// A time that several sessions share and a test moves.
///
/// [`advance`](Clock::advance) takes the deadlines of all sessions in the order in which they pass,
/// so that what they share sees the order in which a server would act. Keys of sessions on one clock
/// differ.
///
/// ```
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::sim::{Clock, Session};
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
///
/// /// Gives up its place after ten seconds of silence.
/// #[state_machine(start = Talk, eof => Gone)]
/// enum Place {
///     #[read(some, max = 64, idle = 10s => Expired)]
///     #[to(Talk)]
///     Talk,
///     #[run]
///     #[to(Gone)]
///     Expired,
///     #[end]
///     Gone,
/// }
///
/// struct Guest {
///     name: &'static str,
///     left: Arc<Mutex<Vec<&'static str>>>,
/// }
///
/// impl place::Handler for Guest {
///     fn talk(&mut self, _: &[u8], _: &mut Cx<'_>) -> place::AfterTalk {
///         place::AfterTalk::Talk
///     }
///
///     fn expired(&mut self, _: &mut Cx<'_>) -> place::AfterExpired {
///         self.left.lock().unwrap().push(self.name);
///         place::AfterExpired::Gone
///     }
/// }
///
/// let (clock, left) = (Clock::new(), Arc::default());
/// let guest = |name| Guest { name, left: Arc::clone(&left) };
/// let mut ann = Session::<Place, _>::on(&clock, guest("Ann"));
/// let bob = Session::<Place, _>::on(&clock, guest("Bob"));
///
/// // Ann says something after six seconds, so Bob is the first to leave.
/// clock.advance(Duration::from_secs(6));
/// ann.send(b"still here");
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(*left.lock().unwrap(), ["Bob", "Ann"]);
/// assert_eq!((ann.ended(), bob.ended()), (Some(Ended::Done), Some(Ended::Done)));
/// ```
#[derive(Clone)]
pub struct Clock {
    origin: TimeOrigin,
    sessions: Rc<RefCell<Vec<OnClock>>>,
}

/// A session that is on a clock, until it is dropped.
pub(super) type OnClock = Weak<RefCell<dyn Timed>>;

/// The time and the generations of keys that sessions on one clock share.
#[derive(Clone, Debug)]
pub(super) struct TimeOrigin {
    pub(super) time: ManualTime,
    pub(super) generations: Arc<Generations>,
}

/// A session, as the clock that it is on sees it.
pub(super) trait Timed {
    /// The time at which its next deadline may pass.
    fn next_deadline(&self) -> u64;

    /// Runs the turns that are due.
    fn run_due(&mut self);
}

impl Clock {
    /// A clock without sessions. [`Session::on`](super::Session::on) and
    /// [`JobSession::on`](super::JobSession::on) make some.
    pub fn new() -> Self {
        Self { origin: TimeOrigin::new(), sessions: Rc::default() }
    }

    /// Lets time pass for all sessions on this clock. Deadlines come up one after the other, each at its
    /// time; those of the same time in the order in which the sessions were made.
    ///
    /// # Panics
    ///
    /// When a handler of one of its sessions calls this.
    pub fn advance(&self, time: Duration) {
        self.sessions.borrow_mut().retain(|session| session.strong_count() > 0);
        let sessions: Vec<_> = self.sessions.borrow().iter().filter_map(Weak::upgrade).collect();
        let sessions: Vec<_> = sessions.iter().map(|session| &**session).collect();
        self.origin.advance(&sessions, time);
    }

    /// Sets the wall clock that handlers see with [`Cx::wall`](crate::Cx::wall). It moves on with the time,
    /// which this does not change. At first it is the beginning of the year 2000 in UTC.
    pub fn set_wall(&self, time: SystemTime) {
        self.origin.time.set_wall(time);
    }

    pub(super) fn origin(&self) -> &TimeOrigin {
        &self.origin
    }

    pub(super) fn add(&self, session: OnClock) {
        self.sessions.borrow_mut().push(session);
    }
}

impl TimeOrigin {
    pub(super) fn new() -> Self {
        Self { time: ManualTime::new(), generations: Arc::default() }
    }

    /// Lets time pass for these sessions.
    pub(super) fn advance(&self, sessions: &[&RefCell<dyn Timed + '_>], time: Duration) {
        let now = self.time.millis();
        let until = now.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        loop {
            let deadlines = sessions.iter().map(|session| session.borrow().next_deadline());
            // The first of several that are equal.
            let next = deadlines.enumerate().min_by_key(|(_, due)| *due);
            let next = next.filter(|(_, due)| *due != u64::MAX && *due <= until);
            let Some((first, due)) = next else { break };
            self.time.set(due.max(self.time.millis()));
            sessions[first].borrow_mut().run_due();
        }
        self.time.set(until);
        for session in sessions {
            session.borrow_mut().run_due();
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.origin.time.millis();
        f.debug_struct("Clock").field("millis", &millis).finish_non_exhaustive()
    }
}

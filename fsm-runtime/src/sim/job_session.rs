use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use super::LIMITS;
use super::clock::{Clock, OnClock, TimeOrigin};
use super::harness::Harness;
use super::methods::session_methods;
use crate::call::mailboxes::{CallProgress, Mailboxes};
use crate::job::{JobScratch, JobScratchSettings, JobTask};
use crate::machine::environment::EnvironmentOf;
use crate::net::readiness::Readiness;
use crate::{Drive, Ended, JobMachine, Key, NoMessage, Service, TrySendError};

/// The key of the caller, which is the test.
const CALLER: Key = Key::new(0, 0);

/// A job of a machine, run by a test.
///
/// ```
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::sim::JobSession;
/// use std::time::Duration;
///
/// /// Greets, after a while.
/// #[state_machine(start = Think, job = String, reply = String)]
/// enum Greet {
///     #[sleep(2s)]
///     #[to(Done)]
///     Think { name: String },
///     #[end]
///     Done,
/// }
///
/// struct Polite;
///
/// impl greet::Handler for Polite {
///     fn think(&mut self, name: &mut String, _: &mut JobCx<'_>) -> greet::AfterThink {
///         greet::AfterThink::Done { reply: format!("hello {name}") }
///     }
/// }
///
/// let mut job = JobSession::<Greet, _>::new(Polite, "Ann".to_owned());
/// assert_eq!(job.state(), Some("Think"));
/// // The test does not sleep: it moves the clock.
/// job.advance(Duration::from_secs(2));
/// assert_eq!(job.ended(), Some(Ended::Done));
/// assert_eq!(job.replied().as_deref(), Some("hello Ann"));
/// ```
pub struct JobSession<M: JobMachine + Drive<H>, H> {
    harness: Rc<RefCell<Harness<JobTask<M, H>>>>,
    /// The clock that it shares with other sessions, if it shares one.
    clock: Option<Clock>,
    caller: Mailboxes<NoMessage>,
}

impl<M: JobMachine + Drive<H>, H> JobSession<M, H> {
    /// Gives the machine a job, and runs it until it waits for something.
    pub fn new(handler: H, job: M::Job) -> Self {
        let mut session = Self::start(&TimeOrigin::new(), handler, job);
        session.run(Readiness::NONE);
        session
    }

    /// Like [`new`](JobSession::new), on a clock with other sessions.
    pub fn on(clock: &Clock, handler: H, job: M::Job) -> Self
    where
        M: 'static,
        H: 'static,
    {
        let mut session = Self::start(clock.origin(), handler, job);
        clock.add(Rc::downgrade(&session.harness) as OnClock);
        session.clock = Some(clock.clone());
        session.run(Readiness::NONE);
        session
    }

    fn start(origin: &TimeOrigin, handler: H, job: M::Job) -> Self {
        let caller = Mailboxes::default();
        caller.open(CALLER);
        let environment = EnvironmentOf::<M>::default();
        let reply_to = caller.begin_call(CALLER);
        let now = || origin.time.millis();
        let task = JobTask::new(job, reply_to, environment.settings.as_ref(), now);
        let mut harness = Harness::new(origin, &M::routes(), |pool_state, context| {
            JobScratch::new(JobScratchSettings {
                handler,
                make: None,
                environment: environment.clone(),
                limits: LIMITS,
                pool_state,
                context,
            })
        });
        harness.open(task, |key| {
            if JobTask::<M, H>::HAS_MAILBOX {
                environment.mailboxes.open(key);
            }
        });
        Self { harness: Rc::new(RefCell::new(harness)), clock: None, caller }
    }

    session_methods!();

    /// Posts `messages` and lets `millis` pass, and then runs one turn for all of that.
    #[cfg(test)]
    #[cfg(not(any(loom, shuttle)))]
    pub(super) fn come_together(&mut self, messages: &[M::Message], millis: u64)
    where
        M::Message: Copy,
    {
        {
            let harness = self.harness.borrow();
            for message in messages {
                let posted = harness.scratch().environment.mailboxes.post(harness.key, *message);
                assert!(posted.is_ok(), "the mailbox has room");
            }
            let time = &harness.origin().time;
            time.set(time.millis() + millis);
        }
        self.run(Readiness::NONE);
    }

    /// Takes the reply of the machine, if it has replied.
    pub fn replied(&mut self) -> Option<M::Reply> {
        match self.caller.call_progress(CALLER) {
            CallProgress::Reply(reply) => Some(reply),
            CallProgress::Pending | CallProgress::Gone | CallProgress::Outbound(_) => None,
        }
    }
}

impl<M: JobMachine + Drive<H>, H> fmt::Debug for JobSession<M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobSession").field("state", &self.state()).finish_non_exhaustive()
    }
}

use std::fmt;
use std::time::Duration;

use super::LIMITS;
use super::harness::Harness;
use crate::call::mailboxes::{CallProgress, Mailboxes};
use crate::job::{JobScratch, JobTask};
use crate::net::readiness::Readiness;
use crate::{Drive, Ended, JobMachine, Key, NoMessage, Service, TrySendError};

/// The key of the caller that the test is.
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
/// // Nobody waits two seconds for this.
/// job.advance(Duration::from_secs(2));
/// assert_eq!(job.ended(), Some(Ended::Done));
/// assert_eq!(job.replied().as_deref(), Some("hello Ann"));
/// ```
pub struct JobSession<M: JobMachine + Drive<H>, H> {
    harness: Harness<JobTask<M, H>>,
    caller: Mailboxes<NoMessage>,
}

impl<M: JobMachine + Drive<H>, H> JobSession<M, H> {
    /// Gives the machine a job, and runs it until it waits for something.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Think, job = u32, reply = u32, message = u32, gone => Lost)]
    /// # enum Sum {
    /// #     #[sleep(2s)] #[to(Asking)] Think { n: u32 },
    /// #     #[call(Square, within = 5s => Lost)] #[to(Adding)] Asking { square: u32 },
    /// #     #[message(within = 5s => Lost)] #[to(Done)] Adding { sum: u32 },
    /// #     #[run] #[to(Done)] Lost,
    /// #     #[end] Done,
    /// # }
    /// # struct H;
    /// # impl sum::Handler for H {
    /// #     fn think(&mut self, n: &mut u32, _: &mut JobCx<'_, u32>) -> sum::AfterThink {
    /// #         sum::AfterThink::Asking { job: *n, square: 0 }
    /// #     }
    /// #     fn asking(&mut self, _: &mut u32, reply: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAsking {
    /// #         sum::AfterAsking::Adding { sum: reply }
    /// #     }
    /// #     fn adding(&mut self, sum: &mut u32, n: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAdding {
    /// #         sum::AfterAdding::Done { reply: *sum + n }
    /// #     }
    /// #     fn lost(&mut self, _: &mut JobCx<'_, u32>) -> sum::AfterLost {
    /// #         sum::AfterLost::Done { reply: 0 }
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut job = JobSession::<Sum, _>::new(H, 7);
    /// let job = JobSession::<Sum, _>::new(H, 7);
    /// assert_eq!(job.state(), Some("Think"));
    /// # }
    /// ```
    pub fn new(handler: H, job: M::Job) -> Self {
        let caller = Mailboxes::default();
        caller.open(CALLER);
        let task = JobTask::new(job, caller.begin_call(CALLER), || 0);
        let harness = Harness::new(
            &M::routes(),
            |pool_state, context| {
                JobScratch::new(handler, None, Mailboxes::default(), LIMITS, pool_state, context)
            },
            task,
            |scratch, key| {
                if JobTask::<M, H>::HAS_MAILBOX {
                    scratch.mailboxes.open(key);
                }
            },
        );
        let mut session = Self { harness, caller };
        session.harness.run(Readiness::NONE);
        session
    }

    /// The reply, once it is there; it is taken.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Think, job = u32, reply = u32, message = u32, gone => Lost)]
    /// # enum Sum {
    /// #     #[sleep(2s)] #[to(Asking)] Think { n: u32 },
    /// #     #[call(Square, within = 5s => Lost)] #[to(Adding)] Asking { square: u32 },
    /// #     #[message(within = 5s => Lost)] #[to(Done)] Adding { sum: u32 },
    /// #     #[run] #[to(Done)] Lost,
    /// #     #[end] Done,
    /// # }
    /// # struct H;
    /// # impl sum::Handler for H {
    /// #     fn think(&mut self, n: &mut u32, _: &mut JobCx<'_, u32>) -> sum::AfterThink {
    /// #         sum::AfterThink::Asking { job: *n, square: 0 }
    /// #     }
    /// #     fn asking(&mut self, _: &mut u32, reply: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAsking {
    /// #         sum::AfterAsking::Adding { sum: reply }
    /// #     }
    /// #     fn adding(&mut self, sum: &mut u32, n: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAdding {
    /// #         sum::AfterAdding::Done { reply: *sum + n }
    /// #     }
    /// #     fn lost(&mut self, _: &mut JobCx<'_, u32>) -> sum::AfterLost {
    /// #         sum::AfterLost::Done { reply: 0 }
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut job = JobSession::<Sum, _>::new(H, 7);
    /// # job.advance(Duration::from_secs(2));
    /// assert_eq!(job.replied(), None);
    /// # job.job::<Square>();
    /// job.fail::<Square>();
    /// assert_eq!(job.replied(), Some(0));
    /// # }
    /// ```
    pub fn replied(&mut self) -> Option<M::Reply> {
        match self.caller.call_progress(CALLER) {
            CallProgress::Reply(reply) => Some(reply),
            CallProgress::Pending | CallProgress::Gone | CallProgress::Outbound(_) => None,
        }
    }

    /// Lets time pass, with all that comes due in it.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Think, job = u32, reply = u32, message = u32, gone => Lost)]
    /// # enum Sum {
    /// #     #[sleep(2s)] #[to(Asking)] Think { n: u32 },
    /// #     #[call(Square, within = 5s => Lost)] #[to(Adding)] Asking { square: u32 },
    /// #     #[message(within = 5s => Lost)] #[to(Done)] Adding { sum: u32 },
    /// #     #[run] #[to(Done)] Lost,
    /// #     #[end] Done,
    /// # }
    /// # struct H;
    /// # impl sum::Handler for H {
    /// #     fn think(&mut self, n: &mut u32, _: &mut JobCx<'_, u32>) -> sum::AfterThink {
    /// #         sum::AfterThink::Asking { job: *n, square: 0 }
    /// #     }
    /// #     fn asking(&mut self, _: &mut u32, reply: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAsking {
    /// #         sum::AfterAsking::Adding { sum: reply }
    /// #     }
    /// #     fn adding(&mut self, sum: &mut u32, n: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAdding {
    /// #         sum::AfterAdding::Done { reply: *sum + n }
    /// #     }
    /// #     fn lost(&mut self, _: &mut JobCx<'_, u32>) -> sum::AfterLost {
    /// #         sum::AfterLost::Done { reply: 0 }
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut job = JobSession::<Sum, _>::new(H, 7);
    /// job.advance(Duration::from_secs(2));
    /// assert_eq!(job.state(), Some("Asking"));
    /// # }
    /// ```
    pub fn advance(&mut self, time: Duration) {
        self.harness.advance(time);
    }

    /// Posts a message to the job.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Think, job = u32, reply = u32, message = u32, gone => Lost)]
    /// # enum Sum {
    /// #     #[sleep(2s)] #[to(Asking)] Think { n: u32 },
    /// #     #[call(Square, within = 5s => Lost)] #[to(Adding)] Asking { square: u32 },
    /// #     #[message(within = 5s => Lost)] #[to(Done)] Adding { sum: u32 },
    /// #     #[run] #[to(Done)] Lost,
    /// #     #[end] Done,
    /// # }
    /// # struct H;
    /// # impl sum::Handler for H {
    /// #     fn think(&mut self, n: &mut u32, _: &mut JobCx<'_, u32>) -> sum::AfterThink {
    /// #         sum::AfterThink::Asking { job: *n, square: 0 }
    /// #     }
    /// #     fn asking(&mut self, _: &mut u32, reply: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAsking {
    /// #         sum::AfterAsking::Adding { sum: reply }
    /// #     }
    /// #     fn adding(&mut self, sum: &mut u32, n: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAdding {
    /// #         sum::AfterAdding::Done { reply: *sum + n }
    /// #     }
    /// #     fn lost(&mut self, _: &mut JobCx<'_, u32>) -> sum::AfterLost {
    /// #         sum::AfterLost::Done { reply: 0 }
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut job = JobSession::<Sum, _>::new(H, 7);
    /// # job.advance(Duration::from_secs(2));
    /// # job.job::<Square>();
    /// # job.reply::<Square>(49);
    /// job.post(1).unwrap();
    /// assert_eq!(job.replied(), Some(50));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the mailbox is full or the job is over.
    pub fn post(&mut self, message: M::Message) -> Result<(), TrySendError<M::Message>> {
        self.harness.scratch.mailboxes.post(self.harness.key, message)?;
        self.harness.run(Readiness::NONE);
        Ok(())
    }

    /// The next job that this one has given to `S`: see [`Session::job`](super::Session::job).
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Think, job = u32, reply = u32, message = u32, gone => Lost)]
    /// # enum Sum {
    /// #     #[sleep(2s)] #[to(Asking)] Think { n: u32 },
    /// #     #[call(Square, within = 5s => Lost)] #[to(Adding)] Asking { square: u32 },
    /// #     #[message(within = 5s => Lost)] #[to(Done)] Adding { sum: u32 },
    /// #     #[run] #[to(Done)] Lost,
    /// #     #[end] Done,
    /// # }
    /// # struct H;
    /// # impl sum::Handler for H {
    /// #     fn think(&mut self, n: &mut u32, _: &mut JobCx<'_, u32>) -> sum::AfterThink {
    /// #         sum::AfterThink::Asking { job: *n, square: 0 }
    /// #     }
    /// #     fn asking(&mut self, _: &mut u32, reply: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAsking {
    /// #         sum::AfterAsking::Adding { sum: reply }
    /// #     }
    /// #     fn adding(&mut self, sum: &mut u32, n: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAdding {
    /// #         sum::AfterAdding::Done { reply: *sum + n }
    /// #     }
    /// #     fn lost(&mut self, _: &mut JobCx<'_, u32>) -> sum::AfterLost {
    /// #         sum::AfterLost::Done { reply: 0 }
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut job = JobSession::<Sum, _>::new(H, 7);
    /// # job.advance(Duration::from_secs(2));
    /// assert_eq!(job.job::<Square>(), Some(7));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When no state of the machine calls `S`.
    pub fn job<S: Service>(&mut self) -> Option<S::Job> {
        self.harness.stubs.job::<S>()
    }

    /// Replies to the first job of `S` that was taken and has no reply yet.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Think, job = u32, reply = u32, message = u32, gone => Lost)]
    /// # enum Sum {
    /// #     #[sleep(2s)] #[to(Asking)] Think { n: u32 },
    /// #     #[call(Square, within = 5s => Lost)] #[to(Adding)] Asking { square: u32 },
    /// #     #[message(within = 5s => Lost)] #[to(Done)] Adding { sum: u32 },
    /// #     #[run] #[to(Done)] Lost,
    /// #     #[end] Done,
    /// # }
    /// # struct H;
    /// # impl sum::Handler for H {
    /// #     fn think(&mut self, n: &mut u32, _: &mut JobCx<'_, u32>) -> sum::AfterThink {
    /// #         sum::AfterThink::Asking { job: *n, square: 0 }
    /// #     }
    /// #     fn asking(&mut self, _: &mut u32, reply: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAsking {
    /// #         sum::AfterAsking::Adding { sum: reply }
    /// #     }
    /// #     fn adding(&mut self, sum: &mut u32, n: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAdding {
    /// #         sum::AfterAdding::Done { reply: *sum + n }
    /// #     }
    /// #     fn lost(&mut self, _: &mut JobCx<'_, u32>) -> sum::AfterLost {
    /// #         sum::AfterLost::Done { reply: 0 }
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut job = JobSession::<Sum, _>::new(H, 7);
    /// # job.advance(Duration::from_secs(2));
    /// let n = job.job::<Square>().unwrap();
    /// job.reply::<Square>(n * n);
    /// assert_eq!(job.state(), Some("Adding"));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn reply<S: Service>(&mut self, reply: S::Reply) {
        self.harness.stubs.answer::<S>(Some(reply));
        self.harness.run(Readiness::NONE);
    }

    /// Lets the first job of `S` fail that was taken and has no reply yet.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Think, job = u32, reply = u32, message = u32, gone => Lost)]
    /// # enum Sum {
    /// #     #[sleep(2s)] #[to(Asking)] Think { n: u32 },
    /// #     #[call(Square, within = 5s => Lost)] #[to(Adding)] Asking { square: u32 },
    /// #     #[message(within = 5s => Lost)] #[to(Done)] Adding { sum: u32 },
    /// #     #[run] #[to(Done)] Lost,
    /// #     #[end] Done,
    /// # }
    /// # struct H;
    /// # impl sum::Handler for H {
    /// #     fn think(&mut self, n: &mut u32, _: &mut JobCx<'_, u32>) -> sum::AfterThink {
    /// #         sum::AfterThink::Asking { job: *n, square: 0 }
    /// #     }
    /// #     fn asking(&mut self, _: &mut u32, reply: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAsking {
    /// #         sum::AfterAsking::Adding { sum: reply }
    /// #     }
    /// #     fn adding(&mut self, sum: &mut u32, n: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAdding {
    /// #         sum::AfterAdding::Done { reply: *sum + n }
    /// #     }
    /// #     fn lost(&mut self, _: &mut JobCx<'_, u32>) -> sum::AfterLost {
    /// #         sum::AfterLost::Done { reply: 0 }
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut job = JobSession::<Sum, _>::new(H, 7);
    /// # job.advance(Duration::from_secs(2));
    /// job.job::<Square>();
    /// job.fail::<Square>();
    /// assert_eq!(job.ended(), Some(Ended::Done));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn fail<S: Service>(&mut self) {
        self.harness.stubs.answer::<S>(None);
        self.harness.run(Readiness::NONE);
    }

    /// The name of its state; `None` when it is over.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Think, job = u32, reply = u32, message = u32, gone => Lost)]
    /// # enum Sum {
    /// #     #[sleep(2s)] #[to(Asking)] Think { n: u32 },
    /// #     #[call(Square, within = 5s => Lost)] #[to(Adding)] Asking { square: u32 },
    /// #     #[message(within = 5s => Lost)] #[to(Done)] Adding { sum: u32 },
    /// #     #[run] #[to(Done)] Lost,
    /// #     #[end] Done,
    /// # }
    /// # struct H;
    /// # impl sum::Handler for H {
    /// #     fn think(&mut self, n: &mut u32, _: &mut JobCx<'_, u32>) -> sum::AfterThink {
    /// #         sum::AfterThink::Asking { job: *n, square: 0 }
    /// #     }
    /// #     fn asking(&mut self, _: &mut u32, reply: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAsking {
    /// #         sum::AfterAsking::Adding { sum: reply }
    /// #     }
    /// #     fn adding(&mut self, sum: &mut u32, n: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAdding {
    /// #         sum::AfterAdding::Done { reply: *sum + n }
    /// #     }
    /// #     fn lost(&mut self, _: &mut JobCx<'_, u32>) -> sum::AfterLost {
    /// #         sum::AfterLost::Done { reply: 0 }
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut job = JobSession::<Sum, _>::new(H, 7);
    /// assert_eq!(job.state(), Some("Think"));
    /// # }
    /// ```
    pub fn state(&self) -> Option<&'static str> {
        self.harness.state()
    }

    /// Why it is over, if it is.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Think, job = u32, reply = u32, message = u32, gone => Lost)]
    /// # enum Sum {
    /// #     #[sleep(2s)] #[to(Asking)] Think { n: u32 },
    /// #     #[call(Square, within = 5s => Lost)] #[to(Adding)] Asking { square: u32 },
    /// #     #[message(within = 5s => Lost)] #[to(Done)] Adding { sum: u32 },
    /// #     #[run] #[to(Done)] Lost,
    /// #     #[end] Done,
    /// # }
    /// # struct H;
    /// # impl sum::Handler for H {
    /// #     fn think(&mut self, n: &mut u32, _: &mut JobCx<'_, u32>) -> sum::AfterThink {
    /// #         sum::AfterThink::Asking { job: *n, square: 0 }
    /// #     }
    /// #     fn asking(&mut self, _: &mut u32, reply: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAsking {
    /// #         sum::AfterAsking::Adding { sum: reply }
    /// #     }
    /// #     fn adding(&mut self, sum: &mut u32, n: u32, _: &mut JobCx<'_, u32>) -> sum::AfterAdding {
    /// #         sum::AfterAdding::Done { reply: *sum + n }
    /// #     }
    /// #     fn lost(&mut self, _: &mut JobCx<'_, u32>) -> sum::AfterLost {
    /// #         sum::AfterLost::Done { reply: 0 }
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut job = JobSession::<Sum, _>::new(H, 7);
    /// assert_eq!(job.ended(), None);
    /// # }
    /// ```
    pub fn ended(&self) -> Option<Ended> {
        self.harness.ended()
    }
}

impl<M: JobMachine + Drive<H>, H> fmt::Debug for JobSession<M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobSession").field("state", &self.state()).finish_non_exhaustive()
    }
}

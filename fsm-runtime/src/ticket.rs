use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::credits::{NoCredit, Wakes};
use crate::inbox::{Fill, Holder, Mail, Return};
use crate::jobs::Jobs;
use crate::{Key, Service};

/// The reply to a job that a thread has given to a pool; see [`Handle::submit`](crate::Handle::submit).
///
/// Dropping it does not stop the job: its reply is then for nobody.
#[must_use = "the job runs all the same, but its reply is lost"]
pub struct Ticket<R> {
    window: Arc<Window<R>>,
}

/// Where the thread waits.
struct Window<R> {
    state: Mutex<State<R>>,
    bell: Condvar,
}

struct State<R> {
    /// There may be room in the pool.
    called: bool,
    reply: Reply<R>,
}

enum Reply<R> {
    Waits,
    Came(R),
    Gone,
}

/// The window has no need of a key.
const NOBODY: Key = Key::new(0, 0);

impl<R: Send + 'static> Ticket<R> {
    /// Gives the job to the pool if there is room.
    pub(crate) fn submit<S: Service<Reply = R>>(
        jobs: &dyn Jobs<S>,
        job: S::Job,
    ) -> Result<Self, SubmitError<S::Job>> {
        match jobs.credits().offer() {
            Ok(credit) => {
                let window = Arc::<Window<R>>::default();
                jobs.submit(job, credit, window.to());
                Ok(Self { window })
            }
            Err(NoCredit::Full) => Err(SubmitError::Full(job)),
            Err(NoCredit::Closed) => Err(SubmitError::Gone(job)),
        }
    }

    /// The same, but waits for room.
    pub(crate) fn submit_within<S: Service<Reply = R>>(
        jobs: &dyn Jobs<S>,
        job: S::Job,
        time: Duration,
    ) -> Result<Self, SubmitError<S::Job>> {
        let window = Arc::<Window<R>>::default();
        let until = Instant::now().checked_add(time);
        let wakes = || Arc::<Window<R>>::clone(&window) as Arc<dyn Wakes>;
        let credit = match jobs.credits().offer_or_wait(wakes, NOBODY) {
            Ok(Ok(credit)) => Ok(credit),
            Ok(Err(mut waiting)) => loop {
                if let Some(result) = waiting.ready() {
                    break result;
                }
                if !window.is_called(until) {
                    // It may have come at the last moment.
                    break waiting.ready().unwrap_or(Err(NoCredit::Full));
                }
            },
            Err(error) => Err(error),
        };
        match credit {
            Ok(credit) => {
                jobs.submit(job, credit, window.to());
                Ok(Self { window })
            }
            Err(NoCredit::Full) => Err(SubmitError::Full(job)),
            Err(NoCredit::Closed) => Err(SubmitError::Gone(job)),
        }
    }

    /// Waits for the reply, for as long as the job takes. There is none if the job has failed, or
    /// the pool was closed before it was done.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Double, job = u32, reply = u32)]
    /// # enum Doubling {
    /// #     #[run] #[to(Done)] Double { number: u32 },
    /// #     #[end] Done,
    /// # }
    /// # struct Worker;
    /// # impl doubling::Handler for Worker {
    /// fn double(&mut self, number: &mut u32, _: &mut JobCx<'_>) -> doubling::AfterDouble {
    ///     doubling::AfterDouble::Done { reply: number.checked_mul(2).expect("a small number") }
    /// }
    /// # }
    ///
    /// let builder = Pool::builder::<Doubling>("doubling");
    /// let doubling = builder.handle();
    /// let running = builder.worker(|| Worker).start()?;
    /// assert_eq!(doubling.submit(21)?.wait(), Some(42));
    /// assert_eq!(doubling.submit(u32::MAX)?.wait(), None);
    /// # drop(running);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait(self) -> Option<R> {
        match self.wait_until(None) {
            Ok(reply) => reply,
            Err(_) => unreachable!("that time never comes"),
        }
    }

    /// Waits for the reply, but not longer than `time`; then the ticket comes back.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use std::time::Duration;
    /// # #[state_machine(start = Rest, job = (), reply = ())]
    /// # enum Resting {
    /// #     #[sleep(50ms)] #[to(Done)] Rest { nothing: () },
    /// #     #[end] Done,
    /// # }
    /// # struct Worker;
    /// # impl resting::Handler for Worker {
    /// #     fn rest(&mut self, _: &mut (), _: &mut JobCx<'_>) -> resting::AfterRest {
    /// #         resting::AfterRest::Done { reply: () }
    /// #     }
    /// # }
    /// # let builder = Pool::builder::<Resting>("resting");
    /// # let resting = builder.handle();
    /// # let running = builder.worker(|| Worker).start()?;
    /// // A job that takes 50 ms.
    /// let ticket = resting.submit(())?;
    /// let Err(ticket) = ticket.wait_for(Duration::from_millis(1)) else { panic!("so soon?") };
    /// assert_eq!(ticket.wait(), Some(()));
    /// # drop(running);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the time is over.
    pub fn wait_for(self, time: Duration) -> Result<Option<R>, Self> {
        self.wait_until(Instant::now().checked_add(time))
    }

    fn wait_until(self, until: Option<Instant>) -> Result<Option<R>, Self> {
        let mut state = self.window.state();
        loop {
            match std::mem::replace(&mut state.reply, Reply::Waits) {
                Reply::Came(reply) => return Ok(Some(reply)),
                Reply::Gone => return Ok(None),
                Reply::Waits => {}
            }
            let Some(locked) = self.window.sleep(state, until) else { break };
            state = locked;
        }
        Err(self)
    }
}

impl<R> Default for Window<R> {
    fn default() -> Self {
        let state = Mutex::new(State { called: false, reply: Reply::Waits });
        Self { state, bell: Condvar::new() }
    }
}

impl<R> Window<R> {
    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits to be called for something; `None` if it is too late.
    fn sleep<'a>(
        &'a self,
        state: MutexGuard<'a, State<R>>,
        until: Option<Instant>,
    ) -> Option<MutexGuard<'a, State<R>>> {
        let Some(until) = until else {
            return Some(self.bell.wait(state).unwrap_or_else(PoisonError::into_inner));
        };
        let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        let (state, _) =
            self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        Some(state)
    }

    /// Waits until there may be room; says whether that was in time.
    fn is_called(&self, until: Option<Instant>) -> bool {
        let mut state = self.state();
        while !std::mem::replace(&mut state.called, false) {
            let Some(locked) = self.sleep(state, until) else { return false };
            state = locked;
        }
        true
    }
}

impl<R: Send + 'static> Window<R> {
    fn to(self: &Arc<Self>) -> Return {
        Return::new(Arc::<Self>::clone(self), NOBODY, 0)
    }
}

impl<R: Send> Wakes for Window<R> {
    fn wake(&self, _: Key) {
        self.state().called = true;
        self.bell.notify_one();
    }
}

impl<R: Send + 'static> Mail for Window<R> {
    fn answer(&self, _: Key, _: u32, fill: Option<&mut Fill<'_>>) {
        let mut holder = Holder::None;
        if let Some(fill) = fill {
            fill(&mut holder);
        }
        let reply = holder.and_then(|holder| holder.downcast::<Option<R>>().ok());
        self.state().reply = reply.and_then(|reply| *reply).map_or(Reply::Gone, Reply::Came);
        self.bell.notify_one();
    }
}

impl<R> fmt::Debug for Ticket<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}

/// Why a job was not taken; it holds the job.
///
/// ```
/// use fsm_runtime::SubmitError;
/// assert_eq!(SubmitError::Full("work").to_string(), "the pool is full");
/// assert_eq!(SubmitError::Gone("work").into_job(), "work");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SubmitError<Job> {
    /// The pool has as many jobs as it may.
    Full(Job),
    /// The pool does not run, or not any more.
    Gone(Job),
}

impl<Job> SubmitError<Job> {
    /// The job that was not taken.
    ///
    /// ```
    /// assert_eq!(fsm_runtime::SubmitError::Full(7).into_job(), 7);
    /// ```
    pub fn into_job(self) -> Job {
        match self {
            Self::Full(job) | Self::Gone(job) => job,
        }
    }
}

impl<Job> fmt::Display for SubmitError<Job> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the pool is full",
            Self::Gone(_) => "the pool does not run",
        })
    }
}

impl<Job> fmt::Debug for SubmitError<Job> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full",
            Self::Gone(_) => "Gone",
        })
    }
}

impl<Job> std::error::Error for SubmitError<Job> {}

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::call::job_sink::JobSink;
use crate::call::mailboxes::{ReplyReceiver, ReplySender, ReplySlot, WriteReply};
use crate::call::semaphore::NoPermit;
use crate::wake::Wake;
use crate::{Key, Service, TrySendError};

/// The reply to a job that a thread has given to a pool; see [`Handle::submit`](crate::Handle::submit).
///
/// Dropping it does not stop the job: its reply is then for nobody.
#[must_use = "the job runs all the same, but its reply is lost"]
pub struct JobHandle<R> {
    window: Arc<ReplyCell<R>>,
}

/// Where the thread waits.
struct ReplyCell<R> {
    state: Mutex<State<R>>,
    condvar: Condvar,
}

struct State<R> {
    /// There may be room in the pool.
    called: bool,
    reply: Reply<R>,
}

enum Reply<R> {
    Waiting,
    Came(R),
    Gone,
}

/// The window has no need of a key.
const NOBODY: Key = Key::new(0, 0);

impl<R: Send + 'static> JobHandle<R> {
    /// Gives the job to the pool if there is room.
    pub(crate) fn submit<S: Service<Reply = R>>(
        jobs: &dyn JobSink<S>,
        job: S::Job,
    ) -> Result<Self, TrySendError<S::Job>> {
        match jobs.semaphore().try_offer() {
            Ok(permit) => {
                let window = Arc::<ReplyCell<R>>::default();
                jobs.submit(job, permit, window.to());
                Ok(Self { window })
            }
            Err(NoPermit::Full) => Err(TrySendError::Full(job)),
            Err(NoPermit::Closed) => Err(TrySendError::Gone(job)),
        }
    }

    /// The same, but waits for room.
    pub(crate) fn submit_within<S: Service<Reply = R>>(
        jobs: &dyn JobSink<S>,
        job: S::Job,
        time: Duration,
    ) -> Result<Self, TrySendError<S::Job>> {
        let window = Arc::<ReplyCell<R>>::default();
        let until = Instant::now().checked_add(time);
        let wakes = || Arc::<ReplyCell<R>>::clone(&window) as Arc<dyn Wake>;
        let permit = match jobs.semaphore().offer_or_queue(wakes, NOBODY) {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(mut waiting)) => loop {
                if let Some(result) = waiting.poll() {
                    break result;
                }
                if !window.is_called(until) {
                    // It may have come at the last moment.
                    break waiting.poll().unwrap_or(Err(NoPermit::Full));
                }
            },
            Err(error) => Err(error),
        };
        match permit {
            Ok(permit) => {
                jobs.submit(job, permit, window.to());
                Ok(Self { window })
            }
            Err(NoPermit::Full) => Err(TrySendError::Full(job)),
            Err(NoPermit::Closed) => Err(TrySendError::Gone(job)),
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
            match std::mem::replace(&mut state.reply, Reply::Waiting) {
                Reply::Came(reply) => return Ok(Some(reply)),
                Reply::Gone => return Ok(None),
                Reply::Waiting => {}
            }
            let Some(locked) = self.window.sleep(state, until) else { break };
            state = locked;
        }
        Err(self)
    }
}

impl<R> Default for ReplyCell<R> {
    fn default() -> Self {
        let state = Mutex::new(State { called: false, reply: Reply::Waiting });
        Self { state, condvar: Condvar::new() }
    }
}

impl<R> ReplyCell<R> {
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
            return Some(self.condvar.wait(state).unwrap_or_else(PoisonError::into_inner));
        };
        let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        let (state, _) =
            self.condvar.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
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

impl<R: Send + 'static> ReplyCell<R> {
    fn to(self: &Arc<Self>) -> ReplySender {
        ReplySender::new(Arc::<Self>::clone(self), NOBODY, 0)
    }
}

impl<R: Send> Wake for ReplyCell<R> {
    fn wake(&self, _: Key) {
        self.state().called = true;
        self.condvar.notify_one();
    }
}

impl<R: Send + 'static> ReplyReceiver for ReplyCell<R> {
    fn deliver(&self, _: Key, _: u32, write: Option<&mut WriteReply<'_>>) {
        let mut slot = ReplySlot::None;
        if let Some(write) = write {
            write(&mut slot);
        }
        let reply = slot.and_then(|slot| slot.downcast::<Option<R>>().ok());
        self.state().reply = reply.and_then(|reply| *reply).map_or(Reply::Gone, Reply::Came);
        self.condvar.notify_one();
    }
}

impl<R> fmt::Debug for JobHandle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle").finish_non_exhaustive()
    }
}

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::call::job_sink::JobSink;
use crate::call::semaphore::{NoPermit, Permit, Semaphore};
use crate::job::reply_cell::{NO_KEY, ReplyCell, TimedOut};
use crate::wake::Wake;
use crate::{Service, TrySendError};

/// The handle of a job that a plain thread has given to a pool: it waits for the reply.
///
/// [`Handle::submit`](crate::Handle::submit) and [`Submitter::submit`](crate::Submitter::submit) return
/// it. Dropping it does not stop the job; its reply is then lost.
///
/// ```
/// use fsm_runtime::prelude::*;
/// use std::time::Duration;
///
/// struct Length;
///
/// impl Service for Length {
///     type Job = String;
///     type Reply = usize;
/// }
///
/// let pool = Pool::workers::<Length>("length", 2, |text| text.len());
/// let lengths = pool.submitter::<Length>()?;
/// let running = pool.start()?;
/// assert_eq!(lengths.submit("hello".to_owned())?.wait(), Some(5));
///
/// // With a bound on the time. The job goes on when it has passed, and the handle can wait again.
/// let reply = match lengths.submit("bye".to_owned())?.wait_for(Duration::from_millis(1)) {
///     Ok(reply) => reply,
///     Err(handle) => handle.wait(),
/// };
/// assert_eq!(reply, Some(3));
/// running.drain()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the job runs all the same, but its reply is lost"]
pub struct JobHandle<R> {
    cell: Arc<ReplyCell<R>>,
    /// The permits of the pool.
    permits: Arc<Semaphore>,
}

impl<R: Send + 'static> JobHandle<R> {
    /// Gives the job to the pool if that has room.
    pub(crate) fn submit<S: Service<Reply = R>>(
        sink: &dyn JobSink<S>,
        job: S::Job,
    ) -> Result<Self, TrySendError<S::Job>> {
        Self::submit_with(sink, job, Arc::default(), sink.semaphore().try_offer())
    }

    /// Gives the job to the pool, and waits for room there for at most `time`.
    pub(crate) fn submit_within<S: Service<Reply = R>>(
        sink: &dyn JobSink<S>,
        job: S::Job,
        time: Duration,
    ) -> Result<Self, TrySendError<S::Job>> {
        let cell = Arc::<ReplyCell<R>>::default();
        let until = Instant::now().checked_add(time);
        let wakes = || Arc::<ReplyCell<R>>::clone(&cell) as Arc<dyn Wake>;
        let permit = match sink.semaphore().offer_or_queue(wakes, NO_KEY) {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(mut queued)) => loop {
                if let Some(result) = queued.poll() {
                    break result;
                }
                if cell.wait_for_permit(until).is_err() {
                    // A permit may have arrived since the last poll.
                    break queued.poll().unwrap_or(Err(NoPermit::Full));
                }
            },
            Err(error) => Err(error),
        };
        Self::submit_with(sink, job, cell, permit)
    }

    fn submit_with<S: Service<Reply = R>>(
        sink: &dyn JobSink<S>,
        job: S::Job,
        cell: Arc<ReplyCell<R>>,
        permit: Result<Permit, NoPermit>,
    ) -> Result<Self, TrySendError<S::Job>> {
        match permit {
            Ok(permit) => {
                sink.submit(job, permit, cell.sender());
                Ok(Self { cell, permits: Arc::clone(sink.semaphore()) })
            }
            Err(NoPermit::Full) => Err(TrySendError::Full(job)),
            Err(NoPermit::Closed) => Err(TrySendError::Gone(job)),
        }
    }

    /// Waits for the reply, without a bound on the time. A handler must not wait for a job of its own pool,
    /// because that may wait for the handler's thread; after 100 ms that is logged.
    ///
    /// Returns `None` if the job failed, or if the pool
    /// was closed before the job was done.
    pub fn wait(self) -> Option<R> {
        self.cell.wait_for_reply(&self.permits, None).ok().flatten()
    }

    /// Waits for the reply, for at most `time`. Returns `Ok(None)` if the job failed, or if the pool was
    /// closed before the job was done.
    ///
    /// # Errors
    ///
    /// Returns the handle when the time has passed.
    pub fn wait_for(self, time: Duration) -> Result<Option<R>, Self> {
        let until = Instant::now().checked_add(time);
        self.cell.wait_for_reply(&self.permits, until).map_err(|TimedOut| self)
    }
}

impl<R> fmt::Debug for JobHandle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};
    use std::thread;

    use super::*;
    use crate::call::mailboxes::ReplySender;

    struct Double;

    impl Service for Double {
        type Job = u32;
        type Reply = u32;
    }

    /// A pool that stores its jobs and runs none.
    struct Sink {
        semaphore: Arc<Semaphore>,
        jobs: Mutex<Vec<(u32, Permit, ReplySender)>>,
    }

    impl Sink {
        fn new(limit: usize) -> Self {
            Self { semaphore: Arc::new(Semaphore::new(limit)), jobs: Mutex::default() }
        }

        fn take(&self) -> (u32, Permit, ReplySender) {
            self.jobs.lock().unwrap().remove(0)
        }
    }

    impl JobSink<Double> for Sink {
        fn semaphore(&self) -> &Arc<Semaphore> {
            &self.semaphore
        }

        fn submit(&self, job: u32, permit: Permit, to: ReplySender) {
            self.jobs.lock().unwrap().push((job, permit, to));
        }
    }

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(1);

    #[test]
    fn l12_a_job_has_its_reply_or_none() {
        let sink = Sink::new(2);
        let answered = JobHandle::submit::<Double>(&sink, 21).unwrap();
        let failed = JobHandle::submit::<Double>(&sink, 7).unwrap();
        let Err(TrySendError::Full(3)) = JobHandle::submit::<Double>(&sink, 3) else {
            panic!("the pool is full")
        };
        let Err(answered) = answered.wait_for(SHORT) else { panic!("nobody has answered") };
        let (job, _permit, reply) = sink.take();
        reply.send(job * 2);
        assert_eq!(answered.wait(), Some(42));
        drop(sink.take());
        assert_eq!(failed.wait_for(LONG).unwrap(), None);
    }

    #[test]
    fn x7_a_thread_waits_for_room_and_gets_the_permit_that_comes_back() {
        let sink = Sink::new(1);
        let first = JobHandle::submit::<Double>(&sink, 1).unwrap();
        assert!(matches!(
            JobHandle::submit_within::<Double>(&sink, 2, SHORT),
            Err(TrySendError::Full(2))
        ));
        thread::scope(|scope| {
            let (done, replied) = mpsc::channel();
            let sink = &sink;
            scope.spawn(move || {
                let handle = JobHandle::submit_within::<Double>(sink, 2, LONG).unwrap();
                done.send(handle.wait()).unwrap();
            });
            // The permit of the first job is dropped here, whether the thread waits for it already or
            // not yet.
            let (_, permit, reply) = sink.take();
            drop(permit);
            reply.send(2_u32);
            assert_eq!(first.wait(), Some(2));
            while sink.jobs.lock().unwrap().is_empty() {
                thread::yield_now();
            }
            sink.take().2.send(4_u32);
            assert_eq!(replied.recv().unwrap(), Some(4));
        });
        let accounting = sink.semaphore.accounting();
        assert_eq!((accounting.offered, accounting.taken, accounting.abandoned), (3, 2, 1));
    }

    #[test]
    fn x7_a_thread_that_waits_for_room_learns_that_the_pool_is_closed() {
        let sink = Sink::new(0);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| JobHandle::submit_within::<Double>(&sink, 2, LONG));
            while sink.semaphore.accounting().waiting == 0 {
                thread::yield_now();
            }
            sink.semaphore.close();
            assert!(matches!(waiting.join().unwrap(), Err(TrySendError::Gone(2))));
        });
        assert!(matches!(JobHandle::submit::<Double>(&sink, 2), Err(TrySendError::Gone(2))));
    }
}

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::call::job_sink::JobSink;
use crate::lifecycle::pool_state::PoolState;
use crate::{JobHandle, Service, Stats, TrySendError};

/// Gives jobs to a pool from plain threads and async programs, and from handlers with
/// [`Cx::submit`](crate::Cx::submit). [`Pool::submitter`](crate::Pool::submitter) makes it. It is cheap to
/// clone and works on any thread. In a test [`sim::StubPool`](crate::sim::StubPool) makes one.
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
/// assert!(matches!(lengths.submit("too early".to_owned()), Err(TrySendError::Gone(_))));
///
/// let running = pool.start()?;
/// assert_eq!(lengths.submit("hello".to_owned())?.wait(), Some(5));
/// let patient = lengths.submit_within("hi".to_owned(), Duration::from_secs(1))?;
/// assert_eq!(patient.wait(), Some(2));
/// assert_eq!(lengths.stats().taken, 2);
/// running.drain()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Submitter<S: Service> {
    pool_state: Arc<PoolState>,
    service: PhantomData<fn() -> S>,
}

impl<S: Service> Submitter<S> {
    pub(crate) fn new(pool_state: Arc<PoolState>) -> Self {
        Self { pool_state, service: PhantomData }
    }

    /// The sink for jobs, while the pool takes any.
    pub(super) fn sink(&self) -> Option<Arc<dyn JobSink<S>>> {
        self.pool_state.jobs::<S>()
    }

    /// Gives a job to the pool if that has room. Does not block.
    ///
    /// # Errors
    ///
    /// Returns the job: [`Full`](TrySendError::Full) if the pool has no room or others wait for room,
    /// [`Gone`](TrySendError::Gone) if it has not started, drains or is closed.
    pub fn submit(&self, job: S::Job) -> Result<JobHandle<S::Reply>, TrySendError<S::Job>> {
        match self.sink() {
            Some(sink) => JobHandle::submit(&*sink, job),
            None => Err(TrySendError::Gone(job)),
        }
    }

    /// Gives a job to the pool, and waits for room there for at most `time`. Callers queue in FIFO order
    /// while the pool is full.
    ///
    /// # Errors
    ///
    /// Returns the job: [`Full`](TrySendError::Full) if there was no room in that time,
    /// [`Gone`](TrySendError::Gone) if the pool has not started or drains, or is closed before there is
    /// room.
    pub fn submit_within(
        &self,
        job: S::Job,
        time: Duration,
    ) -> Result<JobHandle<S::Reply>, TrySendError<S::Job>> {
        match self.sink() {
            Some(sink) => JobHandle::submit_within(&*sink, job, time),
            None => Err(TrySendError::Gone(job)),
        }
    }

    /// The pool's counters.
    pub fn stats(&self) -> Stats {
        self.pool_state.stats()
    }
}

impl<S: Service> Clone for Submitter<S> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.pool_state))
    }
}

impl<S: Service> fmt::Debug for Submitter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitter").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

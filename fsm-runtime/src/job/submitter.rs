use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::lifecycle::pool_state::PoolState;
use crate::{JobHandle, Service, Stats, TrySendError};

/// Gives jobs to a pool from plain threads: see [`Pool::submitter`](crate::Pool::submitter). Cheap to
/// clone, and good on any thread.
pub struct Submitter<S: Service> {
    pool_state: Arc<PoolState>,
    service: PhantomData<fn() -> S>,
}

impl<S: Service> Submitter<S> {
    pub(crate) fn new(pool_state: Arc<PoolState>) -> Self {
        Self { pool_state, service: PhantomData }
    }

    /// Gives the pool a job if there is room.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # struct Length;
    /// # impl Service for Length { type Job = String; type Reply = usize; }
    /// # let pool = Pool::workers::<Length>("length", 2, |text| text.len());
    /// let lengths = pool.submitter::<Length>()?;
    /// # let early = lengths.submit("early".to_owned());
    /// # assert!(matches!(early, Err(TrySendError::Gone(_))));
    /// let running = pool.start()?;
    /// assert_eq!(lengths.submit("hello".to_owned())?.wait(), Some(5));
    /// # drop(running);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no room, and when the pool has not started or takes no more jobs. The job comes
    /// back.
    pub fn submit(&self, job: S::Job) -> Result<JobHandle<S::Reply>, TrySendError<S::Job>> {
        match self.pool_state.jobs::<S>() {
            Some(jobs) => JobHandle::submit(&*jobs, job),
            None => Err(TrySendError::Gone(job)),
        }
    }

    /// The same, but waits for room as long as `time`.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use std::time::Duration;
    /// # struct Length;
    /// # impl Service for Length { type Job = String; type Reply = usize; }
    /// # let pool = Pool::workers::<Length>("length", 2, |text| text.len());
    /// # let lengths = pool.submitter::<Length>()?;
    /// # let running = pool.start()?;
    /// let ticket = lengths.submit_within("hello".to_owned(), Duration::from_secs(1))?;
    /// assert_eq!(ticket.wait(), Some(5));
    /// # drop(running);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there was no room in that time, and when the pool has not started or takes no more jobs. The
    /// job comes back.
    pub fn submit_within(
        &self,
        job: S::Job,
        time: Duration,
    ) -> Result<JobHandle<S::Reply>, TrySendError<S::Job>> {
        match self.pool_state.jobs::<S>() {
            Some(jobs) => JobHandle::submit_within(&*jobs, job, time),
            None => Err(TrySendError::Gone(job)),
        }
    }

    /// What the pool has counted until now.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # struct Length;
    /// # impl Service for Length { type Job = String; type Reply = usize; }
    /// let pool = Pool::workers::<Length>("length", 2, |text| text.len());
    /// assert_eq!(pool.submitter::<Length>()?.stats().offered, 0);
    /// # Ok::<(), PoolError>(())
    /// ```
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

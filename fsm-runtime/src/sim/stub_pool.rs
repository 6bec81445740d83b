use std::fmt;
use std::sync::Arc;

use crate::call::job_sink::JobSink;
use crate::call::stub::JobStub;
use crate::job::one_step::OneStep;
use crate::lifecycle::facts::PoolFacts;
use crate::lifecycle::pool_state::PoolState;
use crate::{Machine, Service, Submitter};

/// A pool of jobs that a test plays, for handlers that give jobs away with [`Cx::submit`](crate::Cx::submit),
/// and for threads and async programs that have a [`Submitter`].
///
/// The pools that a machine calls are played through its [`Session`](super::Session).
///
/// A reply is in the mailbox at once. A session takes it at its next action, such as
/// [`receive`](super::Session::receive), or `advance(Duration::ZERO)` if there is no other.
///
/// ```
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::sim::StubPool;
///
/// struct Length;
///
/// impl Service for Length {
///     type Job = String;
///     type Reply = usize;
/// }
///
/// let pool = StubPool::<Length>::new();
/// let lengths = pool.submitter();
/// let handle = lengths.submit("hello".to_owned())?;
/// assert_eq!(pool.job().as_deref(), Some("hello"));
/// pool.reply(5);
/// assert_eq!(handle.wait(), Some(5));
///
/// pool.room(0);
/// assert_eq!(lengths.submit("one".to_owned()).err(), Some(TrySendError::Full("one".to_owned())));
/// pool.close();
/// assert_eq!(lengths.submit("two".to_owned()).err(), Some(TrySendError::Gone("two".to_owned())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct StubPool<S: Service> {
    stub: Arc<JobStub<S>>,
    pool_state: Arc<PoolState>,
}

impl<S: Service> StubPool<S> {
    /// A pool with room for any number of jobs.
    pub fn new() -> Self {
        let facts = PoolFacts::new("stub", OneStep::<S>::SPEC);
        let pool_state = Arc::new(PoolState::new(facts, usize::MAX));
        let stub = Arc::new(JobStub::new(Arc::clone(&pool_state.permits)));
        pool_state.open_jobs(&(Arc::clone(&stub) as Arc<dyn JobSink<S>>));
        Self { stub, pool_state }
    }

    /// Gives jobs to this pool. After the pool is dropped it returns them as
    /// [`Gone`](crate::TrySendError::Gone).
    pub fn submitter(&self) -> Submitter<S> {
        Submitter::new(Arc::clone(&self.pool_state))
    }

    /// The next job that was given to the pool. It waits for a `reply`.
    pub fn job(&self) -> Option<S::Job> {
        self.stub.take()
    }

    /// Replies to the first job that was taken and has no reply yet.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn reply(&self, reply: S::Reply) {
        self.stub.answer(Some(reply));
    }

    /// Lets the first job fail that was taken and has no reply yet, as a panic of it would.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn fail(&self) {
        self.stub.answer(None);
    }

    /// Bounds the jobs that the pool has. Before the first call they are not bounded.
    pub fn room(&self, jobs: usize) {
        self.stub.semaphore.set_limit(jobs);
    }

    /// Closes the pool: no job of it gets a reply any more.
    pub fn close(&self) {
        self.pool_state.close();
        self.stub.drop_jobs();
    }
}

impl<S: Service> Default for StubPool<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Service> fmt::Debug for StubPool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubPool").field("stats", &self.pool_state.stats()).finish_non_exhaustive()
    }
}

use std::sync::Arc;
use std::time::Duration;

use crate::{Handle, JobHandle, Machine, Service, Submitter, TrySendError};

impl<M: Machine + Service> Handle<M> {
    /// Gives the pool a job from a plain thread, if there is room. [`JobHandle::wait`] waits for
    /// the reply.
    ///
    /// It is for `main`, tests, and programs that are not made of pools. A machine gives a job with
    /// `#[call(..)]` instead, and its thread does other things until the reply arrives.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    ///
    /// #[state_machine(start = Count, job = String, reply = usize)]
    /// enum Words {
    ///     #[run]
    ///     #[to(Done)]
    ///     Count { text: String },
    ///     #[end]
    ///     Done,
    /// }
    ///
    /// struct Worker;
    ///
    /// impl words::Handler for Worker {
    ///     fn count(&mut self, text: &mut String, _: &mut JobCx<'_>) -> words::AfterCount {
    ///         words::AfterCount::Done { reply: text.split_whitespace().count() }
    ///     }
    /// }
    ///
    /// let builder = Pool::builder::<Words>("words").threads(2);
    /// let words = builder.handle();
    /// let running = builder.worker(|| Worker).start()?;
    /// // Both jobs run at a time, on the two threads.
    /// let first = words.submit("one".to_owned())?;
    /// let second = words.submit("to be or not to be".to_owned())?;
    /// assert_eq!((first.wait(), second.wait()), (Some(1), Some(6)));
    /// running.drain()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the job: [`Full`](TrySendError::Full) if the pool has as many jobs as
    /// [`Builder::max_jobs`](crate::Builder::max_jobs) allows or others wait for room,
    /// [`Gone`](TrySendError::Gone) if it has not started, drains or is closed.
    pub fn submit(&self, job: M::Job) -> Result<JobHandle<M::Reply>, TrySendError<M::Job>> {
        Submitter::<M>::new(Arc::clone(&self.state)).submit(job)
    }

    /// Gives the pool a job like [`submit`](Handle::submit), but blocks this thread for up to
    /// `time` until there is room. Threads and machines that wait for room get it in FIFO order.
    ///
    /// A handler must not call it, because it would block all that its thread serves.
    ///
    /// # Errors
    ///
    /// Returns the job: [`Full`](TrySendError::Full) if there was no room in that time,
    /// [`Gone`](TrySendError::Gone) if the pool has not started or drains, or is closed before there
    /// is room.
    pub fn submit_within(
        &self,
        job: M::Job,
        time: Duration,
    ) -> Result<JobHandle<M::Reply>, TrySendError<M::Job>> {
        Submitter::<M>::new(Arc::clone(&self.state)).submit_within(job, time)
    }
}

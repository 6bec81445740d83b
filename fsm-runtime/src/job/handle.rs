use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::call::job_sink::JobSink;
use crate::call::semaphore::{NoPermit, Permit, Semaphore};
use crate::job::reply_cell::{NO_KEY, ReplyCell, TimedOut};
use crate::wake::Wake;
use crate::{Service, TrySendError};

/// The handle of a job that a plain thread or an async program has given to a pool: it waits for the reply.
///
/// [`Handle::submit`](crate::Handle::submit) and [`Submitter::submit`](crate::Submitter::submit) return
/// it. Dropping it does not stop the job; its reply is then lost.
///
/// A thread waits with [`wait`](Self::wait) or [`wait_for`](Self::wait_for). For async programs it is a
/// [`Future`] with the same output as `wait`; it needs no particular runtime.
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
///
/// In an async function, where `submit` gives the job away before anything is awaited:
///
/// ```
/// use fsm_runtime::prelude::*;
/// # struct Length;
/// # impl Service for Length {
/// #     type Job = String;
/// #     type Reply = usize;
/// # }
///
/// async fn longest(
///     lengths: &Submitter<Length>,
///     texts: [String; 2],
/// ) -> Result<Option<usize>, TrySendError<String>> {
///     let [first, second] = texts.map(|text| lengths.submit(text));
///     let (first, second) = (first?, second?);
///     // Both jobs run meanwhile.
///     Ok(first.await.max(second.await))
/// }
/// # let pool = Pool::workers::<Length>("length", 2, |text| text.len());
/// # let lengths = pool.submitter::<Length>()?;
/// # let running = pool.start()?;
/// # let mut longest = std::pin::pin!(longest(&lengths, ["four".to_owned(), "three".to_owned()]));
/// # struct Unpark(std::thread::Thread);
/// # impl std::task::Wake for Unpark {
/// #     fn wake(self: std::sync::Arc<Self>) {
/// #         self.0.unpark();
/// #     }
/// # }
/// # let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
/// # let reply = loop {
/// #     match longest.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
/// #         std::task::Poll::Ready(reply) => break reply?,
/// #         std::task::Poll::Pending => std::thread::park(),
/// #     }
/// # };
/// # assert_eq!(reply, Some(5));
/// # running.drain()?;
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

/// Waits for the reply as [`wait`](JobHandle::wait) does: the output is `None` if the job failed, or if the
/// pool was closed before the job was done. A poll after that is ready with `None`.
///
/// The thread on which the job ends wakes the task. A handler must not block on the future: its machine
/// calls the pool with `#[call(..)]`.
impl<R: Send + 'static> Future for JobHandle<R> {
    type Output = Option<R>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<R>> {
        self.cell.poll_reply(context)
    }
}

/// Drops the waker of a task that awaited the reply, so that the job's end does not wake it.
impl<R> Drop for JobHandle<R> {
    fn drop(&mut self) {
        self.cell.forget_waker();
    }
}

impl<R> fmt::Debug for JobHandle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

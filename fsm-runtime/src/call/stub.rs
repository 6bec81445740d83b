//! The pools that a test takes the part of. They are here and not in `sim`, because [`Route`](crate::Route)
//! names the function that makes such a pool.

use std::any::Any;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Service;
use crate::call::hand_off::{DetachedConnection, HandOffTarget};
use crate::call::job_sink::JobSink;
use crate::call::reply::ReplySender;
use crate::call::semaphore::{Permit, Semaphore};
use crate::call::service::PoolEntry;

/// The pools that a test takes the part of, each once.
#[derive(Default)]
pub(crate) struct StubPools {
    /// An `Arc` of a [`JobStub`] or a [`HandOffStub`] each.
    pub(crate) pools: Vec<Box<dyn Any>>,
    pub(crate) semaphores: Vec<Arc<Semaphore>>,
}

/// A function that returns the entry to such a pool, and adds the pool if it is not there yet.
pub(crate) type StubFactory = fn(&mut StubPools) -> PoolEntry;

/// A pool that takes jobs.
pub(crate) struct JobStub<S: Service> {
    pub(crate) semaphore: Arc<Semaphore>,
    /// Jobs that the test has not taken.
    queued: Mutex<VecDeque<(S::Job, UnansweredJob)>>,
    /// Jobs that the test has taken and not answered.
    unanswered: Mutex<VecDeque<UnansweredJob>>,
}

/// The reply's sender of a job, and the permit that the job has until then.
struct UnansweredJob {
    reply_to: ReplySender,
    _permit: Permit,
}

/// A pool that takes connections.
pub(crate) struct HandOffStub<M, Seed> {
    pub(crate) semaphore: Arc<Semaphore>,
    /// The seeds of connections that the test has not taken.
    pub(crate) seeds: Mutex<VecDeque<Seed>>,
    target: PhantomData<fn(M)>,
}

impl StubPools {
    /// Returns the pool of this type, after adding one with a new semaphore if there is none.
    fn get_or_insert<T: 'static>(&mut self, make: impl FnOnce(Arc<Semaphore>) -> T) -> Arc<T> {
        if let Some(pool) = self.pools.iter().find_map(|pool| pool.downcast_ref::<Arc<T>>()) {
            return Arc::clone(pool);
        }
        let semaphore = Arc::new(Semaphore::new(usize::MAX));
        let pool = Arc::new(make(Arc::clone(&semaphore)));
        self.semaphores.push(semaphore);
        self.pools.push(Box::new(Arc::clone(&pool)));
        pool
    }
}

pub(crate) fn stub_jobs<S: Service>(pools: &mut StubPools) -> PoolEntry {
    let pool = pools.get_or_insert(JobStub::<S>::new);
    Box::new(pool as Arc<dyn JobSink<S>>)
}

pub(crate) fn stub_hand_offs<M: 'static, Seed: Send + 'static>(pools: &mut StubPools) -> PoolEntry {
    let pool = pools.get_or_insert(|semaphore| HandOffStub::<M, Seed> {
        semaphore,
        seeds: Mutex::default(),
        target: PhantomData,
    });
    Box::new(pool as Arc<dyn HandOffTarget<Seed>>)
}

impl<S: Service> JobStub<S> {
    pub(crate) fn new(semaphore: Arc<Semaphore>) -> Self {
        Self { semaphore, queued: Mutex::default(), unanswered: Mutex::default() }
    }

    /// Takes the next job.
    pub(crate) fn take(&self) -> Option<S::Job> {
        let (job, given) = lock(&self.queued).pop_front()?;
        lock(&self.unanswered).push_back(given);
        Some(job)
    }

    /// Replies to the first job that was taken and has no reply yet; `None` lets it fail.
    pub(crate) fn answer(&self, reply: Option<S::Reply>) {
        let given = lock(&self.unanswered).pop_front();
        let Some(UnansweredJob { reply_to, _permit }) = given else {
            panic!("no job of `{}` was taken", std::any::type_name::<S>())
        };
        match reply {
            Some(reply) => reply_to.send(reply),
            None => drop(reply_to),
        }
    }

    /// Drops all jobs, so that they fail.
    pub(crate) fn drop_jobs(&self) {
        let queued = std::mem::take(&mut *lock(&self.queued));
        let unanswered = std::mem::take(&mut *lock(&self.unanswered));
        // After the locks are released, because this calls code of those who wait for the replies.
        drop((queued, unanswered));
    }
}

impl<S: Service> JobSink<S> for JobStub<S> {
    fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    fn submit(&self, job: S::Job, permit: Permit, reply_to: ReplySender) {
        lock(&self.queued).push_back((job, UnansweredJob { reply_to, _permit: permit }));
    }
}

impl<M, Seed: Send> HandOffTarget<Seed> for HandOffStub<M, Seed> {
    fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    fn accept(&self, seed: Seed, permit: Permit, _: DetachedConnection) {
        // The permit is never released, because the connection stays in the pool for the rest of
        // the test.
        permit.forget();
        lock(&self.seeds).push_back(seed);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

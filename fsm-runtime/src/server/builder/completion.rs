use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use super::Builder;
use crate::job::Make;
use crate::machine::route::RouteKind;
use crate::server::bound::BoundPool;
use crate::server::handover::Handover;
use crate::server::plan::EntryType;
use crate::{Connection, Drive, JobMachine, Machine, Peer, Pool, PoolError, Service, Transport};

/// The last call of a builder, which makes a pool of it.
impl<M: Machine, L: Transport> Builder<M, L> {
    /// Completes a pool of connections. `make` returns the handler of a new connection.
    ///
    /// It is called in the first turn of the connection, on any thread of the pool, and by one of
    /// them at a time, so it may keep state like a counter. A panic of it ends that connection
    /// alone. The handler is dropped when the machine has ended or the connection breaks, for whatever
    /// reason: clean up in its `Drop`. It is not kept while the last output leaves and the peer is read
    /// out (see [`linger`](Builder::linger)).
    pub fn handler<H, F>(mut self, make: F) -> Pool
    where
        M: Drive<H> + Machine<Kind = Connection>,
        H: Send + 'static,
        F: FnMut(Peer) -> H + Send + 'static,
    {
        self.prepare_connects();
        let limit = self.limit;
        // Where newcomers take the place of others, each place counts.
        let low_water_mark = limit - if self.shed_at_rest { 1 } else { (limit / 16).max(1) };
        self.state.set_limit(limit, low_water_mark);
        let entry_type = match M::answers() {
            Some(answers) => EntryType { kind: RouteKind::Call, target: answers.service },
            None => EntryType::connections_of::<M>(),
        };
        self.complete(entry_type, limit, |builder, handover| builder.bind_any(make, handover))
    }

    /// Completes a pool of jobs. `make` returns the handler of a worker thread.
    ///
    /// It is called on each thread of the pool when the thread starts. The handler serves all jobs
    /// that run there, one after another, so it can hold a connection to a database. After a job
    /// that panicked the thread drops its handler and makes another one.
    pub fn worker<H, F>(self, make: F) -> Pool
    where
        M: JobMachine + Drive<H>,
        H: 'static,
        F: Fn() -> H + Send + Sync + 'static,
    {
        self.try_worker(move || Ok::<H, Infallible>(make()))
    }

    /// Completes a pool of jobs like [`worker`](Builder::worker), with a function that may fail.
    ///
    /// If it fails at the start, the pool does not start, and the error is [`PoolError::Handler`].
    /// If it fails after a job that panicked, the thread tries again ten times a second and takes
    /// no jobs until it has a handler. While the pool drains it tries no longer, and jobs that
    /// would run there fail.
    pub fn try_worker<H, E, F>(self, make: F) -> Pool
    where
        M: JobMachine + Drive<H>,
        H: 'static,
        E: fmt::Display,
        F: Fn() -> Result<H, E> + Send + Sync + 'static,
    {
        self.serve_jobs::<M, H, E, F>(make)
    }

    /// Completes a pool of jobs of `S`.
    pub(crate) fn serve_jobs<S, H, E, F>(self, make: F) -> Pool
    where
        S: Service<Job = M::Job, Reply = M::Reply>,
        M: JobMachine + Drive<H>,
        H: 'static,
        E: fmt::Display,
        F: Fn() -> Result<H, E> + Send + Sync + 'static,
    {
        self.state.set_limit(self.max_jobs, self.max_jobs);
        let make: Arc<Make<H>> = Arc::new(move || make().map_err(|error| error.to_string()));
        self.complete(EntryType::jobs_of::<S>(), 0, move |builder, _| {
            Ok(builder.bind_jobs::<S, H>(&make))
        })
    }

    fn complete<F>(self, entry_type: EntryType, max_connections: usize, bind: F) -> Pool
    where
        F: FnOnce(Self, &mut Handover) -> Result<BoundPool, PoolError> + Send + 'static,
    {
        Pool {
            name: self.name.clone(),
            machine: M::SPEC.name,
            spec: M::SPEC,
            routes: M::routes(),
            entry_type,
            state: Arc::clone(&self.state),
            max_connections,
            targets: self.connect.targets.clone(),
            encrypts: L::ENCRYPTS,
            bind: Box::new(move |handover| {
                self.ranges.result(&self.name)?;
                bind(self, handover)
            }),
        }
    }
}

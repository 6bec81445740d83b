use std::sync::Arc;

use super::Builder;
use super::threads::ThreadParts;
use crate::call::job_sink::JobSink;
use crate::call::service::PoolEntry;
use crate::driver::parker::{ParkDriver, Parker};
use crate::driver::worker::Driver;
use crate::job::queue::JobPort;
use crate::job::{JobScratch, JobScratchSettings, JobTask, Make};
use crate::lifecycle::drain::Drain;
use crate::panics::caught;
use crate::scheduler::port::{Port, RemainingTask};
use crate::server::bound::BoundPool;
use crate::server::process::Process;
use crate::server::thread::{ThreadMain, ThreadStart};
use crate::{Drive, Ended, JobMachine, PoolError, Service, Transport};

/// The parts of a thread of jobs, beside those that all threads have.
struct JobParts<S: Service, H> {
    make: Arc<Make<H>>,
    /// The pool state refers to it weakly. Each thread holds it, so that plain threads can give
    /// jobs to the pool as long as one of its threads runs.
    _entry: Arc<dyn JobSink<S>>,
}

impl<M: JobMachine, L: Transport> Builder<M, L> {
    /// Makes the only port of the pool, which has no sockets.
    pub(super) fn bind_jobs<S, H>(self, make: &Arc<Make<H>>) -> BoundPool
    where
        S: Service<Job = M::Job, Reply = M::Reply>,
        M: Drive<H>,
        H: 'static,
    {
        let parker = Arc::<Parker>::default();
        let waker = Arc::clone(&parker);
        let port: Arc<Port<JobTask<M, H>>> = self.port(0, Box::new(move || waker.wake()));
        let ports = [Arc::clone(&port)];
        self.attach(&ports, 0);
        let entry: Arc<dyn JobSink<S>> = Arc::new(JobPort {
            name: self.name.clone(),
            port: Arc::clone(&port),
            pool_state: Arc::clone(&self.state),
            settings: Arc::clone(&self.environment.settings),
            time: Arc::new(Process::shared().time.clone()),
        });
        self.state.open_jobs(&entry);
        let driver = ParkDriver {
            parker,
            pool_state: Arc::clone(&self.state),
            drain: Drain::new(self.name.clone(), self.drain_within),
        };
        let threads = self.thread_parts(port, driver).map(|parts| {
            let job = JobParts { make: Arc::clone(make), _entry: Arc::clone(&entry) };
            Box::new(move |start| job.serve(parts, start)) as ThreadMain
        });
        let threads = threads.collect();
        let entry = Box::new(move || Box::new(Arc::clone(&entry)) as PoolEntry);
        self.bound(Vec::new(), entry, &ports, threads)
    }
}

impl<S: Service, H: 'static> JobParts<S, H> {
    /// Makes the handler of the thread and runs jobs with it, until the port is closed.
    fn serve<M, D>(
        self,
        parts: ThreadParts<M, JobTask<M, H>, D>,
        start: ThreadStart,
    ) -> Result<(), PoolError>
    where
        M: JobMachine + Drive<H>,
        D: Driver,
    {
        let ThreadStart { routes, ready } = start;
        let made = caught(|| (self.make)()).unwrap_or_else(|| Err("it panicked".to_owned()));
        let handler = match made {
            Ok(handler) => handler,
            Err(error) => {
                ready.report(Err(PoolError::Handler { pool: parts.name.clone(), error }));
                abandon(&parts);
                // The thread that starts the pool returns the error.
                return Ok(());
            }
        };
        let scratch = JobScratch::new(JobScratchSettings {
            handler,
            make: Some(Arc::clone(&self.make)),
            environment: parts.environment.clone(),
            limits: parts.limits,
            pool_state: Arc::clone(&parts.state),
            context: parts.context(routes),
        });
        ready.report(Ok(()));
        parts.run(scratch)
    }
}

/// Leaves the port because the thread has no handler. The last thread to leave ends the jobs that
/// were given to the pool in the meantime, because no other thread is there to do so.
fn abandon<M, H, D>(parts: &ThreadParts<M, JobTask<M, H>, D>)
where
    M: JobMachine + Drive<H>,
    H: 'static,
{
    for RemainingTask { key, task } in parts.port.thread_ended().into_iter().flatten() {
        parts.environment.mailboxes.close(key);
        if caught(|| drop(task)).is_none() {
            crate::log::error!(pool = parts.name, "a job panicked while it was dropped");
        }
        parts.state.ended(Ended::Closed);
    }
}

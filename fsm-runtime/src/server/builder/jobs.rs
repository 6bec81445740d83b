use std::sync::{Arc, Mutex, Weak};

use super::Builder;
use crate::call::job_sink::JobSink;
use crate::clock::TimeSource;
use crate::driver::park_driver::ParkDriver;
use crate::driver::parker::Parker;
use crate::driver::worker::{Worker, WorkerSettings};
use crate::job::queue::JobPort;
use crate::job::{JobScratch, JobTask, Make};
use crate::lifecycle::drain::Drain;
use crate::scheduler::observe::Observe;
use crate::scheduler::port::{Port, PortSettings};
use crate::scheduler::task::{WorkerContext, caught};
use crate::server::prepared::{Prepared, ThreadOf};
use crate::server::process::Process;
use crate::{Drive, Ended, JobMachine, PoolError, Service};

impl<M: JobMachine> Builder<M> {
    /// A pool of one port, which has no sockets.
    pub(super) fn jobs<S, H>(self, make: &Arc<Make<H>>) -> Prepared
    where
        S: Service<Job = M::Job, Reply = M::Reply>,
        M: Drive<H>,
        H: 'static,
    {
        let parker = Arc::<Parker>::default();
        let interrupt = {
            let parker = Arc::clone(&parker);
            Box::new(move || parker.wake())
        };
        let (threads, cap) = self.threads_and_cap();
        let port = Arc::new(Port::<JobTask<M, H>>::new(PortSettings {
            number: 0,
            threads,
            cap,
            counters: Arc::clone(&self.pool_state.counters),
            generations: Arc::clone(&Process::shared().generations),
            interrupt,
        }));
        let observed: Arc<dyn Observe> = Arc::<Port<JobTask<M, H>>>::clone(&port);
        self.pool_state.attach(Box::new([Arc::downgrade(&observed)]), 0);
        self.mailboxes.attach([Arc::downgrade(&port) as Weak<_>].into());
        let entry: Arc<dyn JobSink<S>> = Arc::new(JobPort {
            name: self.name.clone(),
            port: Arc::clone(&port),
            pool_state: Arc::clone(&self.pool_state),
            time: Arc::new(Process::shared().time.clone()),
        });
        self.pool_state.take_jobs(&entry);
        let driver = Arc::new(Mutex::new(ParkDriver {
            parker,
            pool_state: Arc::clone(&self.pool_state),
            drain: Drain::new(self.name.clone(), self.drain),
        }));
        let mut threads: Vec<ThreadOf> = Vec::new();
        for thread in 0..self.threads {
            let (port, driver, make) = (Arc::clone(&port), Arc::clone(&driver), Arc::clone(make));
            let (name, mailboxes, bounds) =
                (self.name.clone(), self.mailboxes.clone(), self.bounds());
            let (pool_state, time) = (Arc::clone(&self.pool_state), Process::shared().time.clone());
            let counter = Arc::clone(&entry);
            threads.push(Box::new(move |routes, ready| {
                // Jobs can be given to it as long as a thread runs.
                let _counter = counter;
                let result = caught(|| make()).unwrap_or_else(|| Err("it panicked".to_owned()));
                let handler = match result {
                    Ok(handler) => handler,
                    Err(error) => {
                        ready(Err(PoolError::Handler { pool: name, error }));
                        // Nobody else may be there to take what was given to the pool meanwhile.
                        for (key, job) in port.leave().into_iter().flatten() {
                            mailboxes.close(key);
                            if caught(|| drop(job)).is_none() {
                                tracing::error!("a job panicked while it was dropped");
                            }
                            pool_state.ended(Ended::Closed);
                        }
                        return Ok(());
                    }
                };
                let context = WorkerContext::new(
                    Arc::<Port<_>>::clone(&port),
                    thread,
                    port.status(thread),
                    routes,
                    time.now(),
                );
                let scratch = JobScratch::new(
                    handler,
                    Some(make),
                    mailboxes,
                    bounds,
                    Arc::clone(&pool_state),
                    context,
                );
                ready(Ok(()));
                let settings =
                    WorkerSettings { name, port, driver, thread, scratch, time, pool_state };
                Worker::new(settings).run()
            }));
        }
        let entry = Box::new(move || Box::new(Arc::clone(&entry)) as _);
        let watched = if self.watchdog { vec![observed] } else { Vec::new() };
        Prepared { addresses: Vec::new(), entry, threads, watched }
    }
}

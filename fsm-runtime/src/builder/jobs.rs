use std::sync::{Arc, Mutex, Weak};

use super::Builder;
use crate::bed::Bed;
use crate::clock::Clock;
use crate::job::{Job, JobEnv, Make};
use crate::job_port::JobPort;
use crate::jobs::Jobs;
use crate::nap::Nap;
use crate::pool::{Prepared, ThreadOf};
use crate::port::{Port, Posted};
use crate::seats::Seats;
use crate::task::{Desk, caught};
use crate::worker::{Drain, Worker};
use crate::{Drive, Ended, JobMachine, PoolError, Service};

impl<M: JobMachine> Builder<M> {
    /// A pool of one port, which has no sockets.
    pub(super) fn jobs<S, H>(self, make: &Arc<Make<H>>) -> Prepared
    where
        S: Service<Job = M::Job, Reply = M::Reply>,
        M: Drive<H>,
        H: 'static,
    {
        let bed = Arc::<Bed>::default();
        let interrupt = {
            let bed = Arc::clone(&bed);
            Box::new(move || bed.wake())
        };
        let counters = Arc::clone(&self.control.counters);
        let port = Arc::new(Port::<Job<M, H>>::new(0, self.threads_and_cap(), counters, interrupt));
        let seats: Arc<dyn Seats> = Arc::<Port<Job<M, H>>>::clone(&port);
        self.control.attach(Box::new([Arc::downgrade(&seats)]), 0);
        self.inbox.attach([Arc::downgrade(&port) as Weak<_>].into());
        let entry: Arc<dyn Jobs<S>> = Arc::new(JobPort {
            name: self.name.clone(),
            port: Arc::clone(&port),
            control: Arc::clone(&self.control),
        });
        self.control.take_jobs(&entry);
        let waits = Arc::new(Mutex::new(Nap {
            bed,
            control: Arc::clone(&self.control),
            drain: Drain::new(self.name.clone(), self.drain),
        }));
        let mut threads: Vec<ThreadOf> = Vec::new();
        for thread in 0..self.threads {
            let (port, waits, make) = (Arc::clone(&port), Arc::clone(&waits), Arc::clone(make));
            let (name, inbox, bounds) = (self.name.clone(), self.inbox.clone(), self.bounds());
            let control = Arc::clone(&self.control);
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
                            inbox.close(key);
                            if caught(|| drop(job)).is_none() {
                                tracing::error!("a job panicked while it was dropped");
                            }
                            control.ended(Ended::Closed);
                        }
                        return Ok(());
                    }
                };
                let desk =
                    Desk::new(Arc::<Port<_>>::clone(&port), thread, port.heartbeat(thread), routes);
                let env =
                    JobEnv::new(handler, Some(make), inbox, bounds, Arc::clone(&control), desk);
                ready(Ok(()));
                let (clock, posted) = (Clock::new(), Posted::default());
                Worker { name, port, waits, thread, env, clock, control, posted }.run()
            }));
        }
        let entry = Box::new(move || Box::new(Arc::clone(&entry)) as _);
        let watched = if self.watch { vec![seats] } else { Vec::new() };
        Prepared { addresses: Vec::new(), entry, threads, watched }
    }
}

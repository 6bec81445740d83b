use std::num::NonZero;
use std::sync::{Arc, Mutex, Weak};

use super::Builder;
use super::visible::ShowOfAny;
use crate::call::service::PoolEntry;
use crate::clock::TimeSource;
use crate::driver::worker::{Driver, Worker, WorkerSettings};
use crate::key::Generations;
use crate::lifecycle::pool_state::PoolState;
use crate::machine::environment::EnvironmentOf;
use crate::machine::limits::Limits;
use crate::machine::visible::{Visible, VisiblePort};
use crate::scheduler::journeys::JourneyWatch;
use crate::scheduler::observe::Observe;
use crate::scheduler::port::{Port, PortSettings};
use crate::scheduler::port_core::ThreadIndex;
use crate::scheduler::survey::Respond;
use crate::scheduler::task::{Task, WorkerContext};
use crate::server::bound::BoundPool;
use crate::server::process::Process;
use crate::server::thread::ThreadMain;
use crate::spec::Features;
use crate::{Address, Machine, PoolError, Starts, Timer, Transport};

/// The parts of a thread of a port, whatever its tasks `T` and its driver `D` are.
pub(super) struct ThreadParts<M: Machine, T: Task, D> {
    pub(super) name: String,
    pub(super) state: Arc<PoolState>,
    pub(super) environment: EnvironmentOf<M>,
    pub(super) limits: Limits,
    pub(super) port: Arc<Port<T>>,
    driver: Arc<Mutex<D>>,
    /// The number of the thread in its port.
    thread: ThreadIndex,
    /// One journey in so many is measured.
    journeys: Option<u32>,
}

impl<M: Machine, T: Task + Send + 'static, D: Driver> ThreadParts<M, T, D> {
    /// Returns the context of the thread's turns; it is made on the thread itself.
    pub(super) fn context(&self, routes: Arc<[PoolEntry]>) -> WorkerContext {
        let (port, status) = (Arc::clone(&self.port), self.port.status(self.thread));
        let now = Process::shared().time.now();
        WorkerContext {
            #[cfg(feature = "transitions")]
            edges: self.state.edges.local(self.environment.history.is_some()),
            ..WorkerContext::new(port, self.thread, status, routes, now)
        }
    }

    /// Serves until the port is closed.
    pub(super) fn run(self, scratch: T::Scratch) -> Result<(), PoolError> {
        let journeys = self.journey_watch();
        let Self { name, state: pool_state, port, driver, thread, .. } = self;
        let time = Process::shared().time.clone();
        let settings =
            WorkerSettings { name, port, driver, thread, scratch, time, pool_state, journeys };
        Worker::new(settings).run()
    }
}

impl<M: Machine, T: Task, D> ThreadParts<M, T, D> {
    /// Looks for journeys if the pool measures them, or may have jobs of those of other pools.
    fn journey_watch(&self) -> Option<JourneyWatch> {
        let under_way = &Process::shared().journeys;
        let is_of_jobs = M::SPEC.starts == Starts::Job;
        let watches = self.journeys.is_some() || (is_of_jobs && under_way.are_sampled());
        watches.then(|| JourneyWatch {
            pool: self.name.clone(),
            under_way: Arc::clone(under_way),
            counts: Arc::clone(&self.state.journeys),
            one_in: self.journeys,
            skips: 0,
        })
    }
}

impl<M: Machine, L: Transport> Builder<M, L> {
    /// Attaches the ports to the state and the mailboxes of the pool. `accepting` is the number of
    /// those that have listeners.
    pub(super) fn attach<T>(&self, ports: &[Arc<Port<T>>], accepting: usize)
    where
        T: Visible<M> + Send + 'static,
    {
        self.state.facts.set_ports(self.visible_ports(ports));
        self.state.attach(observed(ports).iter().map(Arc::downgrade).collect(), accepting);
        self.environment
            .mailboxes
            .attach(ports.iter().map(|port| Arc::downgrade(port) as Weak<_>).collect());
    }

    fn visible_ports<T>(&self, ports: &[Arc<Port<T>>]) -> Box<[Box<dyn Respond>]>
    where
        T: Visible<M> + Send + 'static,
    {
        let visible = ports.iter().enumerate().map(|(number, port)| {
            Box::new(VisiblePort {
                number,
                port: Arc::downgrade(port),
                environment: self.environment.clone(),
                time: Arc::new(Process::shared().time.clone()),
                show: self.show.as_ref().and_then(ShowOfAny::of::<T::Handler>),
                resting: Arc::default(),
            }) as Box<dyn Respond>
        });
        visible.collect()
    }

    /// Makes the port with this number. `interrupt` makes its thread come back from the poll.
    pub(super) fn port<T: Task>(
        &self,
        number: usize,
        interrupt: Box<dyn Fn() + Send + Sync>,
    ) -> Arc<Port<T>> {
        Arc::new(Port::new(PortSettings {
            number,
            threads: self.threads,
            max_running: self.running_threads(),
            counters: Arc::clone(&self.state.counters),
            generations: Arc::clone(Generations::of_process()),
            interrupt,
        }))
    }

    /// Returns how many threads of a port run handlers at a time.
    fn running_threads(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        self.max_running.unwrap_or(processors).min(self.threads)
    }

    fn limits(&self) -> Limits {
        Limits {
            // A datagram over the output mark of a pool of datagrams is dropped, so no output waits.
            output: if M::SPEC.uses(Features::DATAGRAMS) { usize::MAX } else { self.output_mark },
            send_timeout: Timer::millis(self.send_timeout, u64::MAX),
            linger: Timer::millis(self.linger, u64::MAX),
            ..Limits::DEFAULT
        }
    }

    /// Returns the parts of each thread of a port.
    pub(super) fn thread_parts<T: Task, D>(
        &self,
        port: Arc<Port<T>>,
        driver: D,
    ) -> impl Iterator<Item = ThreadParts<M, T, D>> {
        let driver = Arc::new(Mutex::new(driver));
        if self.journeys.is_some() {
            // The threads of all pools that start together start after this.
            Process::shared().journeys.sample();
        }
        (0..self.threads).map(move |thread| ThreadParts {
            name: self.name.clone(),
            state: Arc::clone(&self.state),
            environment: self.environment.clone(),
            limits: self.limits(),
            port: Arc::clone(&port),
            driver: Arc::clone(&driver),
            thread,
            journeys: self.journeys,
        })
    }

    /// Puts the bound pool together. `entry` makes a way in for another pool.
    pub(super) fn bound<T>(
        self,
        addresses: Vec<Address>,
        entry: Box<dyn Fn() -> PoolEntry>,
        ports: &[Arc<Port<T>>],
        threads: Vec<ThreadMain>,
    ) -> BoundPool
    where
        T: Task + Send + 'static,
    {
        BoundPool {
            watched: if self.watchdog { observed(ports) } else { Vec::new() },
            name: self.name,
            state: self.state,
            addresses,
            entry,
            threads,
        }
    }
}

fn observed<T: Task + Send + 'static>(ports: &[Arc<Port<T>>]) -> Vec<Arc<dyn Observe>> {
    ports.iter().map(|port| Arc::clone(port) as Arc<dyn Observe>).collect()
}

use std::sync::{Arc, Mutex, PoisonError, Weak};

use mio::{Events, Poll, Registry, Waker};

use super::Builder;
use crate::call::hand_off::HandOffTarget;
use crate::clock::Clock;
use crate::connection::ConnectionTask;
use crate::connection::scratch::{MakeFor, Scratch};
use crate::driver::accept::Accept;
use crate::driver::acceptor::Acceptor;
use crate::driver::reactor::Reactor;
use crate::driver::worker::Worker;
use crate::lifecycle::drain::Drain;
use crate::net::listener::{CAN_SHARE_ADDRESS, Listener};
use crate::net::socket::Socket;
use crate::net::token;
use crate::scheduler::observe::Observe;
use crate::scheduler::port::{Injected, Port};
use crate::scheduler::task::WorkerContext;
use crate::server::placement::{Listening, Placement};
use crate::server::prepared::{Prepared, ThreadOf};
use crate::{Address, Connection, Drive, Machine, Peer, PoolError};

/// A port before its threads have started.
struct Half<M: Machine, H> {
    poll: Poll,
    port: Arc<Port<ConnectionTask<M, H, Socket>>>,
    registry: Arc<Registry>,
    acceptors: Vec<Acceptor>,
}

impl<M: Machine<Kind = Connection>> Builder<M> {
    /// Binds the pool to its addresses.
    pub(super) fn connections<H, F>(self, make: F) -> Result<Prepared, PoolError>
    where
        M: Drive<H>,
        H: Send + 'static,
        F: FnMut(Peer) -> H + Send + 'static,
    {
        let mut halves = Vec::new();
        for number in 0..self.shards {
            halves.push(self.half(number)?);
        }
        let addresses = self.listen_on(&mut halves)?;
        let make = Mutex::new(make);
        let make: Arc<MakeFor<H>> =
            Arc::new(move |peer| (*make.lock().unwrap_or_else(PoisonError::into_inner))(peer));
        let shards = halves.iter().map(|half| Arc::clone(&half.port));
        let boxes = Arc::default();
        let placement = Arc::new(Placement {
            name: self.name.clone(),
            shards: shards.collect(),
            pool_state: Arc::clone(&self.pool_state),
            stays: self.reuse_port,
            boxes: Arc::clone(&boxes),
        });
        let port: Vec<Arc<dyn Observe>> =
            halves.iter().map(|half| Arc::clone(&half.port) as Arc<dyn Observe>).collect();
        let accepting = halves.iter().filter(|half| !half.acceptors.is_empty()).count();
        self.pool_state.attach(port.iter().map(Arc::downgrade).collect(), accepting);
        self.mailboxes
            .attach(halves.iter().map(|half| Arc::downgrade(&half.port) as Weak<_>).collect());
        let entry: Arc<dyn HandOffTarget<M::Seed>> = Arc::<Placement<M, H>>::clone(&placement);
        let mut threads: Vec<ThreadOf> = Vec::new();
        for (number, half) in halves.into_iter().enumerate() {
            let Half { poll, port, registry, acceptors } = half;
            let driver = Arc::new(Mutex::new(Reactor {
                pool: self.name.clone(),
                port: Arc::<Port<_>>::clone(&port),
                shard: number,
                acceptors,
                poll,
                events: Events::with_capacity(64),
                enqueue: 0,
                pool_state: Arc::clone(&self.pool_state),
                drain: Drain::new(self.name.clone(), self.drain),
                backlog: usize::try_from(self.backlog).unwrap_or(usize::MAX),
                out_of_descriptors: false,
                accept: self.seed.map(|seed| {
                    let placement = Arc::clone(&placement);
                    Box::new(Listening { placement, seed }) as Box<dyn Accept>
                }),
            }));
            for thread in 0..self.threads {
                let (port, driver) = (Arc::clone(&port), Arc::clone(&driver));
                let (make, boxes) = (Arc::clone(&make), Arc::clone(&boxes));
                let (pool_state, registry) = (Arc::clone(&self.pool_state), Arc::clone(&registry));
                let (name, mailboxes, bounds) =
                    (self.name.clone(), self.mailboxes.clone(), self.bounds());
                threads.push(Box::new(move |routes, ready| {
                    let context = WorkerContext::new(
                        Arc::<Port<_>>::clone(&port),
                        thread,
                        port.status(thread),
                        routes,
                    );
                    let scratch = Scratch::new(
                        mailboxes,
                        bounds,
                        Arc::clone(&pool_state),
                        Some(registry),
                        Some(make),
                        boxes,
                        context,
                    );
                    ready(Ok(()));
                    let (clock, injected) = (Clock::new(), Injected::default());
                    Worker { name, port, driver, thread, scratch, clock, pool_state, injected }
                        .run()
                }));
            }
        }
        let entry = Box::new(move || Box::new(Arc::clone(&entry)) as _);
        let watched = if self.watchdog { port } else { Vec::new() };
        Ok(Prepared { addresses, entry, threads, watched })
    }

    fn half<H>(&self, number: usize) -> Result<Half<M, H>, PoolError>
    where
        M: Drive<H>,
    {
        let poll = Poll::new().map_err(PoolError::io("make a poll"))?;
        let waker = Waker::new(poll.registry(), token::WAKER);
        let waker = waker.map_err(PoolError::io("make a waker"))?;
        let interrupt = Box::new(move || {
            if let Err(error) = waker.wake() {
                tracing::warn!(%error, "cannot wake a port");
            }
        });
        let counters = Arc::clone(&self.pool_state.counters);
        let port = Arc::new(Port::new(number, self.threads_and_cap(), counters, interrupt));
        let registry = poll.registry().try_clone().map_err(PoolError::io("share a poll"))?;
        Ok(Half { poll, port, registry: Arc::new(registry), acceptors: Vec::new() })
    }

    /// Gives the first port the listeners, or each its own.
    fn listen_on<H>(&self, halves: &mut [Half<M, H>]) -> Result<Vec<Address>, PoolError> {
        let mut addresses = Vec::new();
        for address in &self.listen {
            if addresses.len() == token::LISTENERS {
                let why = format!("a pool listens on at most {} addresses", token::LISTENERS);
                return Err(PoolError::Address { address: address.clone(), why });
            }
            let mut address = Address::parse(address)?;
            let shared = self.reuse_port && CAN_SHARE_ADDRESS && matches!(address, Address::Tcp(_));
            let listening = if shared { halves.len() } else { 1 };
            for half in &mut halves[..listening] {
                let mut listener = Listener::bind(&address, self.backlog, shared)?;
                listener
                    .register(half.poll.registry(), token::listener(half.acceptors.len()))
                    .map_err(PoolError::io("register a listener"))?;
                half.acceptors.push(Acceptor::new(listener));
                // The system may have chosen the port, which is that of the others too.
                let listener = &half.acceptors[half.acceptors.len() - 1].listener;
                address = listener.address().map_err(PoolError::io("see where it listens"))?;
            }
            addresses.push(address);
        }
        Ok(addresses)
    }
}

use std::sync::{Arc, Mutex, PoisonError, Weak};

use mio::{Events, Poll, Registry, Waker};

use super::Builder;
use crate::acceptor::Acceptor;
use crate::arrivals::Arrivals;
use crate::clock::Clock;
use crate::conn::Conn;
use crate::env::{Env, MakeFor};
use crate::floor::Floor;
use crate::listener::{Listener, SHARES};
use crate::pool::{Prepared, ThreadOf};
use crate::port::{Port, Posted};
use crate::reactor::Reactor;
use crate::seats::Seats;
use crate::socket::Socket;
use crate::task::Desk;
use crate::worker::{Drain, Worker};
use crate::{Address, Connection, Drive, Machine, Peer, PoolError, token};

/// A port before its threads have started.
struct Half<M: Machine, H> {
    poll: Poll,
    port: Arc<Port<Conn<M, H, Socket>>>,
    registry: Arc<Registry>,
    acceptors: Vec<Acceptor>,
}

impl<M: Machine<Side = Connection>> Builder<M> {
    /// Binds the pool to its addresses.
    pub(super) fn connections<H, F>(self, make: F) -> Result<Prepared, PoolError>
    where
        M: Drive<H>,
        H: Send + 'static,
        F: FnMut(Peer) -> H + Send + 'static,
    {
        let mut halves = Vec::new();
        for number in 0..self.ports {
            halves.push(self.half(number)?);
        }
        let addresses = self.listen_on(&mut halves)?;
        let make = Mutex::new(make);
        let make: Arc<MakeFor<H>> =
            Arc::new(move |peer| (*make.lock().unwrap_or_else(PoisonError::into_inner))(peer));
        let places = halves.iter().map(|half| Arc::clone(&half.port));
        let spares = Arc::default();
        let floor = Arc::new(Floor {
            name: self.name.clone(),
            places: places.collect(),
            control: Arc::clone(&self.control),
            stays: self.reuse_port,
            spares: Arc::clone(&spares),
        });
        let seats: Vec<Arc<dyn Seats>> =
            halves.iter().map(|half| Arc::clone(&half.port) as Arc<dyn Seats>).collect();
        let accepting = halves.iter().filter(|half| !half.acceptors.is_empty()).count();
        self.control.attach(seats.iter().map(Arc::downgrade).collect(), accepting);
        self.inbox
            .attach(halves.iter().map(|half| Arc::downgrade(&half.port) as Weak<_>).collect());
        let entry: Arc<dyn Arrivals<M>> = Arc::<Floor<M, H>>::clone(&floor);
        let mut threads: Vec<ThreadOf> = Vec::new();
        for (number, half) in halves.into_iter().enumerate() {
            let Half { poll, port, registry, acceptors } = half;
            let waits = Arc::new(Mutex::new(Reactor {
                floor: Arc::clone(&floor),
                port: number,
                acceptors,
                poll,
                events: Events::with_capacity(64),
                told: 0,
                control: Arc::clone(&self.control),
                drain: Drain::new(self.name.clone(), self.drain),
                backlog: usize::try_from(self.backlog).unwrap_or(usize::MAX),
                starved: false,
                seed: self.seed,
            }));
            for thread in 0..self.threads {
                let (port, waits) = (Arc::clone(&port), Arc::clone(&waits));
                let (make, spares) = (Arc::clone(&make), Arc::clone(&spares));
                let (control, registry) = (Arc::clone(&self.control), Arc::clone(&registry));
                let (name, inbox, bounds) = (self.name.clone(), self.inbox.clone(), self.bounds());
                threads.push(Box::new(move |routes, ready| {
                    let desk = Desk::new(
                        Arc::<Port<_>>::clone(&port),
                        thread,
                        port.heartbeat(thread),
                        routes,
                    );
                    let env = Env::new(
                        inbox,
                        bounds,
                        Arc::clone(&control),
                        Some(registry),
                        Some(make),
                        spares,
                        desk,
                    );
                    ready(Ok(()));
                    let (clock, posted) = (Clock::new(), Posted::default());
                    Worker { name, port, waits, thread, env, clock, control, posted }.run()
                }));
            }
        }
        let entry = Box::new(move || Box::new(Arc::clone(&entry)) as _);
        let watched = if self.watch { seats } else { Vec::new() };
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
        let counters = Arc::clone(&self.control.counters);
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
            let shared = self.reuse_port && SHARES && matches!(address, Address::Tcp(_));
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

use std::sync::{Arc, Mutex, PoisonError};

use mio::{Events, Poll, Registry, Waker};

use super::Builder;
use super::listen::{Listen, Listens};
use super::shard::Shard;
use super::threads::ThreadParts;
use crate::call::hand_off::HandOffTarget;
use crate::call::service::PoolEntry;
use crate::connection::ConnectionTask;
use crate::connection::scratch::{ConnectionScratch, MakeFor, OtherScratch, ScratchSettings};
use crate::driver::acceptor::Accept;
use crate::driver::connector::ConnectSettings;
use crate::driver::reactor::Reactor;
use crate::driver::receiver::{Receiver, ReceiverSettings};
use crate::driver::shedder::Shedder;
use crate::driver::turn_away::TurnAway;
use crate::driver::worker::Driver;
use crate::lifecycle::drain::Drain;
#[cfg(unix)]
use crate::moves::departure::TakesIn;
#[cfg(unix)]
use crate::moves::stays::Stays;
use crate::net::datagram::DatagramSocket;
use crate::net::listener::{CAN_SHARE_ADDRESS, Listener, ListeningSocket};
use crate::net::token;
use crate::server::bound::BoundPool;
use crate::server::handover::{Handover, is_same_address};
#[cfg(unix)]
use crate::server::layer::Carries;
use crate::server::layer::sealed::{PoolNeeds, Stack};
use crate::server::layer::{DatagramClients, Datagrams};
use crate::server::placement::{Listening, Placement};
use crate::server::process::Process;
use crate::server::thread::{ThreadMain, ThreadStart};
use crate::spec::Features;
use crate::{Address, Connection, Drive, Machine, Peer, PoolError, Transport, Wait};

/// The initial size of a port's buffer of events, which grows when a poll fills it.
const EVENTS: usize = 64;

/// The parts of a thread of connections, beside those that all threads have.
struct ConnectionParts<M: Machine, H, L: Stack> {
    registry: Arc<Registry>,
    /// The pool state refers to it weakly. Each thread holds it, so that plain threads can give
    /// connections to the pool as long as one of its threads runs.
    placement: Arc<Placement<M, H, L>>,
    seed: Option<fn() -> M::Seed>,
}

impl<M: Machine<Kind = Connection>, L: Transport> Builder<M, L> {
    /// Binds a pool of connections, or of the sessions of peers that send datagrams.
    pub(super) fn bind_any<H, F>(
        self,
        make: F,
        handover: &mut Handover,
    ) -> Result<BoundPool, PoolError>
    where
        M: Drive<H>,
        H: Send + 'static,
        F: FnMut(Peer) -> H + Send + 'static,
    {
        if const { M::SPEC.uses(Features::DATAGRAMS) } {
            self.check_datagrams(L::carries())?;
            if self.connects() {
                let settings = Arc::new(self.datagram_clients());
                return self.over::<DatagramClients>(settings).bind_connections(make, handover);
            }
            return self.over::<Datagrams>(()).bind_connections(make, handover);
        }
        self.bind_connections(make, handover)
    }

    /// Makes the shards of the pool, and binds it to its addresses.
    pub(super) fn bind_connections<H, F>(
        mut self,
        make: F,
        handover: &mut Handover,
    ) -> Result<BoundPool, PoolError>
    where
        M: Drive<H>,
        H: Send + 'static,
        F: FnMut(Peer) -> H + Send + 'static,
    {
        self.check_show::<H>()?;
        let shards: Result<Vec<_>, _> = (0..self.shards).map(|number| self.shard(number)).collect();
        let mut shards = shards?;
        let addresses = self.listen_on(&mut shards, handover)?;
        let mut connects = self.connect_settings()?;
        let targets = connects.as_ref().map_or(&[][..], |connects| &connects.targets);
        let waits = || M::SPEC.states.iter().flat_map(|state| state.waits);
        let has = |which: &dyn Fn(&Wait) -> bool| waits().any(which);
        let needs = PoolNeeds {
            targets,
            accepts: self.listen.iter().any(|listens| !listens.plain),
            begins_in_a_state: has(&|wait| matches!(wait, Wait::Tls { text: "" })),
            names_a_server: has(&|wait| matches!(wait, Wait::Tls { text } if !text.is_empty())),
        };
        L::complete(&mut self.layer, needs).map_err(|unfit| unfit.of(self.name.clone()))?;
        let ports: Box<[_]> = shards.iter().map(|shard| Arc::clone(&shard.port)).collect();
        let accepting = shards.iter().filter(|shard| shard.accepts()).count();
        // A connector stops as a listener does.
        self.attach(&ports, accepting + usize::from(connects.is_some()));
        self.attach_connects(&ports[0]);
        let placement = Arc::new(Placement {
            pool: self.name.clone(),
            ports: ports.clone(),
            state: Arc::clone(&self.state),
            time: Arc::new(Process::shared().time.clone()),
            boxes: Arc::default(),
            settings: Arc::clone(&self.environment.settings),
            layer: self.layer.clone(),
            make: one_at_a_time(make),
        });
        #[cfg(unix)]
        self.open_to_moves(&placement);
        let mut threads = Vec::new();
        for shard in shards {
            threads.extend(self.shard_threads(shard, connects.take(), &placement));
        }
        let target: Arc<dyn HandOffTarget<M::Seed>> = placement;
        self.state.open_adoption(&target);
        let jobs = self.environment.outgoing.as_ref().and_then(|outgoing| outgoing.jobs.clone());
        let entry: Box<dyn Fn() -> PoolEntry> = if let Some(jobs) = jobs {
            Box::new(move || Arc::clone(&jobs).entry())
        } else {
            Box::new(move || Box::new(Arc::clone(&target)))
        };
        Ok(self.bound(addresses, entry, &ports, threads))
    }

    fn shard<H>(&self, number: usize) -> Result<Shard<M, H, L>, PoolError>
    where
        M: Drive<H>,
    {
        let poll = Poll::new().map_err(PoolError::io("make a poll"))?;
        let waker = Waker::new(poll.registry(), token::WAKER);
        let waker = waker.map_err(PoolError::io("make a waker"))?;
        let interrupt = Box::new(move || {
            if let Err(error) = waker.wake() {
                crate::log::warn!(%error, "cannot wake a port");
            }
        });
        let port = self.port(number, interrupt);
        let registry = poll.registry().try_clone().map_err(PoolError::io("share a poll"))?;
        Ok(Shard {
            number,
            poll,
            registry: Arc::new(registry),
            port,
            acceptors: Vec::new(),
            datagrams: Vec::new(),
        })
    }

    /// The number of entries before the entry `number` that listen on the same address.
    fn same_addresses_before(&self, number: usize, text: &str) -> u32 {
        let is_same = |it: &&Listens| matches!(&it.on, Listen::Address(other) if is_same_address(other, text));
        let same = self.listen[..number].iter().filter(is_same).count();
        u32::try_from(same).unwrap_or(u32::MAX)
    }

    /// Makes the listeners. The first shard gets those of all addresses, or each shard gets its own
    /// where the shards share the TCP ports. Returns the addresses, with the TCP ports that the
    /// system chose.
    fn listen_on<H>(
        &self,
        shards: &mut [Shard<M, H, L>],
        handover: &mut Handover,
    ) -> Result<Vec<Address>, PoolError> {
        let mut addresses = Vec::new();
        for (number, Listens { on, plain }) in self.listen.iter().enumerate() {
            room(&addresses, on)?;
            let text = match on {
                Listen::Address(text) => text,
                Listen::Socket(socket) => {
                    addresses.push(shards[0].adopt(socket, *plain)?);
                    continue;
                }
            };
            let nth = self.same_addresses_before(number, text);
            let inherited = handover.take(&self.name, text, nth);
            if !inherited.is_empty() {
                for socket in inherited {
                    room(&addresses, on)?;
                    // The file of one that was passed is that of who passed it.
                    let address = match Address::parse(text)? {
                        Address::Passed(_) => shards[0].adopt(&socket, *plain)?,
                        _ => shards[0].inherit(&socket, *plain, handover)?,
                    };
                    shards[0].keep(&self.name, text, nth, handover)?;
                    addresses.push(address);
                }
                continue;
            }
            let mut address = Address::parse(text)?;
            self.check_address(&address)?;
            if let Address::Passed(which) = &address {
                for socket in passed(which)? {
                    room(&addresses, on)?;
                    addresses.push(shards[0].adopt(&socket, *plain)?);
                    shards[0].keep(&self.name, text, nth, handover)?;
                }
                continue;
            }
            let shared =
                self.reuse_port && CAN_SHARE_ADDRESS && !matches!(address, Address::Unix(_));
            self.check_upgradable(&address, shared, handover)?;
            let listening = if shared { shards.len() } else { 1 };
            for shard in &mut shards[..listening] {
                // If the system chose the port for the first shard, it is that of the others, too.
                address = if let Address::Udp(at) = address {
                    let counters = Arc::clone(&self.state.counters);
                    let socket = DatagramSocket::bind(at, shared, self.output_mark, counters)?;
                    shard.add_datagrams(socket)?
                } else {
                    let listener = Listener::bind(&address, self.backlog, shared)?;
                    let address = shard.add(listener.plain(*plain))?;
                    shard.keep(&self.name, text, nth, handover)?;
                    address
                };
            }
            addresses.push(address);
        }
        Ok(addresses)
    }

    /// Refuses listeners whose connections a live upgrade would lose.
    fn check_upgradable(
        &self,
        address: &Address,
        shared: bool,
        handover: &Handover,
    ) -> Result<(), PoolError> {
        let why = if !handover.is_upgradable() {
            return Ok(());
        } else if shared {
            "shares its TCP ports by `reuse_port`, and connections that wait for a listener of the old process \
             would be lost; leave `reuse_port` out"
        } else if matches!(address, Address::Udp(_)) {
            "listens for datagrams, whose sessions cannot move; run it as a process of its own"
        } else {
            return Ok(());
        };
        let name = &self.name;
        Err(PoolError::Pipeline {
            why: format!("the pool `{name}` of an upgradable pipeline {why}"),
        })
    }

    /// Lets connections of other processes in, or notes why none move.
    #[cfg(unix)]
    fn open_to_moves<H>(&self, placement: &Arc<Placement<M, H, L>>)
    where
        M: Drive<H>,
        H: Send + 'static,
    {
        let never = match L::carries() {
            #[cfg(feature = "tls")]
            Carries::Tls => Some(Stays::Tls),
            Carries::Layer(..) => Some(Stays::Layer),
            Carries::Nothing if M::SPEC.uses(Features::DATAGRAMS) => Some(Stays::Datagrams),
            Carries::Nothing if self.environment.outgoing.is_some() => Some(Stays::Opened),
            Carries::Nothing => None,
        };
        let target: Arc<dyn TakesIn> = Arc::<Placement<M, H, L>>::clone(placement);
        self.state.moving.open(never.map_or_else(|| Ok(Arc::downgrade(&target)), Err));
    }

    /// Returns the main functions of the threads of a shard.
    fn shard_threads<H>(
        &self,
        shard: Shard<M, H, L>,
        connects: Option<ConnectSettings>,
        placement: &Arc<Placement<M, H, L>>,
    ) -> impl Iterator<Item = ThreadMain>
    where
        M: Drive<H>,
        H: Send + 'static,
    {
        let (port, registry) = (Arc::clone(&shard.port), Arc::clone(&shard.registry));
        let placement = Arc::clone(placement);
        let seed = self.seed;
        let reactor = self.reactor(shard, connects, &placement);
        self.thread_parts(port, reactor).map(move |parts| {
            let connection = ConnectionParts {
                registry: Arc::clone(&registry),
                placement: Arc::clone(&placement),
                seed,
            };
            Box::new(move |start| connection.serve(parts, start)) as ThreadMain
        })
    }

    fn reactor<H>(
        &self,
        shard: Shard<M, H, L>,
        connects: Option<ConnectSettings>,
        placement: &Arc<Placement<M, H, L>>,
    ) -> Reactor
    where
        M: Drive<H>,
        H: Send + 'static,
    {
        let Shard { number, poll, port, acceptors, datagrams, .. } = shard;
        let accept = || {
            let (placement, counters) = (Arc::clone(placement), self.state.counters.local());
            let seed = self.seed?;
            Some(Box::new(Listening { placement, seed, counters }) as Box<dyn Accept>)
        };
        let connector = connects.and_then(|settings| self.connector(settings, accept()?));
        let receiver = (!datagrams.is_empty()).then(|| {
            let (permits, counters) = (&self.state.permits, &self.state.counters);
            Box::new(Receiver::new(ReceiverSettings {
                pool: self.name.clone(),
                sockets: datagrams,
                max: M::SPEC.largest_datagram(),
                permits: Arc::clone(permits),
                counters: Arc::clone(counters),
            }))
        });
        let shedder = (self.shed_at_rest && !acceptors.is_empty()).then(|| {
            let state = Arc::clone(&self.state);
            Box::new(Shedder::new(self.name.clone(), state, Arc::clone(&port) as _))
        });
        let farewell = self.farewell.as_ref().filter(|_| !self.shed_at_rest);
        let turn_away = farewell.map(|farewell| {
            Box::new(TurnAway::new(farewell.clone(), L::wraps_at_once(&self.layer)))
        });
        Reactor {
            pool: self.name.clone(),
            port,
            shard: number,
            acceptors,
            poll,
            events: Events::with_capacity(EVENTS),
            found: 0,
            pool_state: Arc::clone(&self.state),
            drain: Drain::new(self.name.clone(), self.drain_within),
            backlog: usize::try_from(self.backlog).unwrap_or(usize::MAX),
            out_of_descriptors: false,
            accept: accept(),
            receiver,
            shedder,
            turn_away,
            connector,
        }
    }
}

impl<M: Drive<H>, H: Send + 'static, L: Stack> ConnectionParts<M, H, L> {
    /// Runs a thread of a port, until the port is closed.
    fn serve<D: Driver>(
        self,
        parts: ThreadParts<M, ConnectionTask<M, H, L::Stream>, D>,
        start: ThreadStart,
    ) -> Result<(), PoolError> {
        let ThreadStart { routes, ready } = start;
        let scratch = ConnectionScratch::new(ScratchSettings {
            environment: parts.environment.clone(),
            limits: parts.limits,
            pool_state: Arc::clone(&parts.state),
            registry: Some(self.registry),
            make: Some(Arc::clone(&self.placement.make)),
            seed: self.seed,
            boxes: Arc::clone(&self.placement.boxes),
            #[cfg(unix)]
            park: M::SPEC.moves.then(|| Arc::clone(&self.placement) as _),
            other: OtherScratch {
                lookups: Some(&Process::shared().lookups),
                #[cfg(feature = "tls")]
                tls: L::tls(&self.placement.layer).and_then(|settings| settings.client),
                ..OtherScratch::default()
            },
            context: parts.context(routes),
            #[cfg(feature = "tls")]
            tls: L::tls(&self.placement.layer),
        });
        ready.report(Ok(()));
        parts.run(scratch)
    }
}

/// Finds out whether one address more is possible.
fn room(addresses: &[Address], next: &Listen) -> Result<(), PoolError> {
    if addresses.len() < token::LISTENERS {
        return Ok(());
    }
    let why = format!("a pool listens on at most {} addresses", token::LISTENERS);
    Err(PoolError::Address { address: next.to_string(), why })
}

/// Takes the sockets that a service manager has passed.
#[cfg(target_os = "linux")]
fn passed(which: &str) -> Result<Vec<ListeningSocket>, PoolError> {
    crate::net::passed::take(which)
        .map_err(|why| PoolError::Address { address: format!("fd:{which}"), why })
}

/// `Address::parse` refuses them on other systems.
#[cfg(not(target_os = "linux"))]
fn passed(_which: &str) -> Result<Vec<ListeningSocket>, PoolError> {
    Ok(Vec::new())
}

/// Lets all threads call the function that makes handlers, one at a time.
fn one_at_a_time<H, F>(make: F) -> Arc<MakeFor<H>>
where
    F: FnMut(Peer) -> H + Send + 'static,
{
    let make = Mutex::new(make);
    Arc::new(move |peer| (*make.lock().unwrap_or_else(PoisonError::into_inner))(peer))
}

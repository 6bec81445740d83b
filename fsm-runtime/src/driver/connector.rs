use std::fmt::Display;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError};

use mio::Registry;
use slab::Slab;

use crate::call::semaphore::{NoPermit, Permit};
use crate::driver::acceptor::Accept;
use crate::driver::connector::target::TargetState;
use crate::lifecycle::pool_state::{Phase, PoolState};
use crate::net::dial::{Dial, DialedConnection, is_local};
use crate::net::listener::{Accepted, SocketOrigin};
use crate::net::lookup::{Found, Lookups};
use crate::net::token;
use crate::net::transport::Source;
use crate::outgoing::connections::{Outgoing, Report};
use crate::{Address, Target};

mod target;

/// Milliseconds after which a job no longer counts on a connection that is on its way, so that another
/// target is tried.
const SLOW: u64 = 250;

/// The least number of milliseconds between two warnings that this process cannot connect at all.
const QUIET: u64 = 60_000;

/// The settings of a pool that opens connections. Times are in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct ConnectSettings {
    pub(crate) targets: Vec<Target>,
    /// The number of connections that are kept.
    pub(crate) least: usize,
    /// The pause before a target is tried again, from that after the first failure to the longest.
    pub(crate) retry: RangeInclusive<u64>,
    /// The longest time that one connection may take to come about.
    pub(crate) within: u64,
}

/// Opens the connections of a pool, and others in place of those that end (C3, C4).
///
/// It belongs to the poll of the first port, as listeners do. Which target is next goes round; one that fails
/// is left alone for a random time, which grows with each failure.
pub(crate) struct Connector {
    pub(crate) pool: String,
    pub(crate) settings: ConnectSettings,
    pub(crate) outgoing: Arc<Outgoing>,
    pub(crate) state: Arc<PoolState>,
    /// Makes connections of the sockets.
    pub(crate) opens: Box<dyn Accept>,
    pub(crate) lookups: &'static Lookups,
    targets: Vec<TargetState>,
    /// The number of the target that is tried next.
    next: usize,
    dials: Slab<Dialing>,
    /// An event of a dial has come.
    touched: bool,
    /// The time at which it has something to do without an event.
    due: u64,
    /// No connection is open, and no target can be connected to.
    unreachable: bool,
    /// The time of the last warning that this process cannot connect at all.
    warned: Option<u64>,
    stopped: bool,
}

/// The parts that a connector is made of.
pub(crate) struct ConnectorSettings {
    pub(crate) pool: String,
    pub(crate) settings: ConnectSettings,
    pub(crate) outgoing: Arc<Outgoing>,
    pub(crate) state: Arc<PoolState>,
    pub(crate) opens: Box<dyn Accept>,
    pub(crate) lookups: &'static Lookups,
}

/// A connection that is on its way.
struct Dialing {
    /// The number of the target.
    target: usize,
    progress: DialStage,
    begun: u64,
    permit: Permit,
}

enum DialStage {
    Lookup(Arc<Found>),
    Dial(Dial),
}

impl Connector {
    pub(crate) fn new(parts: ConnectorSettings) -> Self {
        let ConnectorSettings { pool, settings, outgoing, state, opens, lookups } = parts;
        let targets = settings.targets.iter().cloned().map(TargetState::new).collect();
        Self {
            pool,
            settings,
            outgoing,
            state,
            opens,
            lookups,
            targets,
            next: 0,
            dials: Slab::new(),
            touched: false,
            due: 0,
            unreachable: false,
            warned: None,
            stopped: false,
        }
    }

    /// Notes an event of the dial with this number.
    pub(crate) fn event(&mut self, number: usize) {
        self.touched |= self.dials.contains(number);
    }

    /// The time at which [`round`](Self::round) has something to do; the largest number for never.
    pub(crate) fn due(&self) -> u64 {
        if self.stopped { u64::MAX } else { self.due }
    }

    /// Does what there is to do after a poll, if there is anything.
    pub(crate) fn round(&mut self, registry: &Registry, shard: usize, now: u64) {
        let changed = self.outgoing.take_changed();
        if self.stopped || !(changed || self.touched || self.due <= now) {
            return;
        }
        self.touched = false;
        self.take_reports(now);
        self.advance(registry, shard, now);
        let phase = self.state.phase();
        let wanted = if phase == Phase::Run { self.wanted(now) } else { self.wanted_by_jobs(now) };
        let unmet = self.begin(wanted, registry, now);
        self.judge();
        self.due = self.next_due(unmet, now);
        if phase != Phase::Run {
            self.stop_if_done();
        }
    }

    fn take_reports(&mut self, now: u64) {
        let longest = *self.settings.retry.end();
        for report in self.outgoing.take_reports() {
            match report {
                Report::Answered { target } => self.targets[target].works(&self.pool),
                // Without a job nothing but its time tells whether a connection was of use.
                Report::Ended { target, answered, was_free, lasted, error } => {
                    let had_no_job = was_free || self.outgoing.jobs.is_none();
                    let was_of_use =
                        answered || (had_no_job && error.is_none() && lasted >= longest);
                    if was_of_use {
                        self.targets[target].works(&self.pool);
                    }
                    if !was_of_use || self.outgoing.jobs.is_none() {
                        self.failed(target, error.as_ref().map(|error| error as _), now);
                    }
                }
            }
        }
    }

    /// Looks at the connections that are on their way.
    fn advance(&mut self, registry: &Registry, shard: usize, now: u64) {
        let numbers: Vec<usize> = self.dials.iter().map(|(number, _)| number).collect();
        for number in numbers {
            let Some(decided) = self.poll(number, registry, now) else { continue };
            let Dialing { target, permit, .. } = self.dials.remove(number);
            self.targets[target].dials -= 1;
            let opened = decided.and_then(|connected| {
                let DialedConnection { socket, peer } = connected;
                let left = || io::Error::other("the socket cannot leave its poll");
                let socket = socket.detach(registry).ok_or_else(left)?;
                Ok(Accepted { socket, peer, stays: false, origin: SocketOrigin::Opened { target } })
            });
            match opened {
                Ok(accepted) => {
                    if self.outgoing.jobs.is_none() {
                        self.targets[target].is_probed = false;
                    }
                    self.outgoing.placed();
                    self.opens.accepted(accepted, permit, shard, now);
                }
                Err(error) => {
                    drop(permit);
                    self.state.counters.connect_failed();
                    if is_local(&error) {
                        self.out_of_descriptors(target, &error, now);
                    } else {
                        self.failed(target, Some(&error as _), now);
                    }
                }
            }
        }
    }

    /// Looks at one of them: `None` while it is undecided.
    fn poll(
        &mut self,
        number: usize,
        registry: &Registry,
        now: u64,
    ) -> Option<io::Result<DialedConnection>> {
        let dialing = &mut self.dials[number];
        let target = &self.targets[dialing.target];
        if let DialStage::Lookup(found) = &dialing.progress {
            let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
            match found {
                Some(Ok(mut addresses)) => {
                    target.begin_with_next(&mut addresses);
                    let udp = target.target.takes_datagrams();
                    let address = if udp { Address::Udp } else { Address::Tcp };
                    dialing.progress = DialStage::Dial(Dial::to_names(addresses, address));
                }
                Some(Err(error)) => return Some(Err(error)),
                None => {}
            }
        }
        let decided = match &mut dialing.progress {
            DialStage::Lookup(_) => None,
            DialStage::Dial(dial) => dial.poll(now, registry, token::dial(number)),
        };
        let late = dialing.begun.saturating_add(self.settings.within) <= now;
        decided.or_else(|| late.then(|| Err(io::ErrorKind::TimedOut.into())))
    }

    /// The number of connections that would be on their way if none of them took long.
    fn needed(&self) -> usize {
        let kept = self.settings.least.saturating_sub(self.outgoing.open_count());
        let missing = self.outgoing.jobs.as_ref().map_or(0, |jobs| jobs.missing());
        let for_jobs = missing.saturating_sub(self.outgoing.about_to_join());
        kept.max(for_jobs).max(usize::from(self.unreachable))
    }

    /// The number of connections to open now.
    fn wanted(&self, now: u64) -> usize {
        let kept =
            self.settings.least.saturating_sub(self.outgoing.open_count() + self.dials.len());
        // The next connection shows whether jobs can be taken again.
        let probe = usize::from(self.unreachable && self.fresh(now) == 0);
        kept.max(self.wanted_by_jobs(now)).max(probe)
    }

    fn wanted_by_jobs(&self, now: u64) -> usize {
        let Some(jobs) = &self.outgoing.jobs else { return 0 };
        let missing = jobs.missing();
        if missing == 0 {
            return 0;
        }
        missing.saturating_sub(self.fresh(now) + self.outgoing.about_to_join())
    }

    /// The number of connections on their way that have not taken long.
    fn fresh(&self, now: u64) -> usize {
        self.dials.iter().filter(|(_, dialing)| !dialing.is_slow(now)).count()
    }

    /// Begins to open this number of connections. Returns whether some of them must wait.
    fn begin(&mut self, wanted: usize, registry: &Registry, now: u64) -> bool {
        for _ in 0..wanted {
            if self.dials.len() == token::DIALS {
                // The next one that is decided causes another round.
                return false;
            }
            let Some((target, is_slow)) = self.next_target(now) else { return true };
            // To knock again where nobody answers brings nothing.
            if is_slow && self.dials.len() >= self.needed() {
                return true;
            }
            let permit = match self.state.permits.try_acquire() {
                Ok(permit) => permit,
                // The end of a connection causes another round.
                Err(NoPermit::Full | NoPermit::Closed) => return false,
            };
            self.next = (target + 1) % self.targets.len();
            self.targets[target].dials += 1;
            let progress = self.dial(&self.targets[target].target);
            let number = self.dials.insert(Dialing { target, progress, begun: now, permit });
            // An attempt at an address begins at once, and may be decided at once.
            if let DialStage::Dial(dial) = &mut self.dials[number].progress {
                self.touched |= dial.begin(now, registry, token::dial(number));
            }
        }
        false
    }

    fn dial(&self, target: &Target) -> DialStage {
        match target {
            Target::Tcp(address) => DialStage::Dial(Dial::new([Address::Tcp(*address)])),
            Target::Unix(path) => DialStage::Dial(Dial::new([Address::Unix(path.clone())])),
            Target::Udp(address) => DialStage::Dial(Dial::new([Address::Udp(*address)])),
            Target::Name(host, port) | Target::UdpName(host, port) => {
                let outgoing = Arc::clone(&self.outgoing);
                let told = move || outgoing.changed();
                DialStage::Lookup(self.lookups.start(host.clone(), *port, told))
            }
            Target::Tls(target) => self.dial(target),
        }
    }

    /// The number of the target to try now, and whether a connection to it takes long to come: it is the last
    /// choice then.
    fn next_target(&self, now: u64) -> Option<(usize, bool)> {
        let slow = |number: usize| {
            self.dials.iter().any(|(_, dialing)| dialing.target == number && dialing.is_slow(now))
        };
        let count = self.targets.len();
        let ready = (self.next..self.next + count).map(|number| number % count);
        let mut ready = ready.filter(|number| self.targets[*number].may_be_tried(now));
        let first = ready.next()?;
        if !slow(first) {
            return Some((first, false));
        }
        Some(ready.find(|number| !slow(*number)).map_or((first, true), |number| (number, false)))
    }

    /// Waits before another attempt at the target, which has nothing to do with the error.
    #[cold]
    fn out_of_descriptors(&mut self, target: usize, error: &io::Error, now: u64) {
        let pause = (*self.settings.retry.start()).max(1);
        self.targets[target].postpone(now.saturating_add(pause));
        if self.warned.is_none_or(|at| at.saturating_add(QUIET) <= now) {
            self.warned = Some(now);
            crate::log::warn!(pool = self.pool, %error, "cannot connect; jobs and connections wait");
        }
    }

    fn failed(&mut self, target: usize, error: Option<&dyn Display>, now: u64) {
        let random = RandomState::new().build_hasher().finish();
        self.targets[target].failed(&self.pool, error, &self.settings.retry, random, now);
    }

    /// Refuses jobs while no connection is open and no target works, and takes them again otherwise.
    fn judge(&mut self) {
        let Some(jobs) = &self.outgoing.jobs else { return };
        let none = self.outgoing.open_count() == 0 && !jobs.any_joined();
        let unreachable = none && self.targets.iter().all(|target| target.is_probed);
        if unreachable != self.unreachable {
            self.unreachable = unreachable;
            jobs.set_reachable(!unreachable);
        }
    }

    fn next_due(&self, unmet: bool, now: u64) -> u64 {
        if self.touched {
            return now;
        }
        let within = self.settings.within;
        let dials = self.dials.iter().map(|(_, dialing)| {
            let turns_slow = dialing.begun.saturating_add(SLOW);
            let slow = if turns_slow > now { turns_slow } else { u64::MAX };
            let due = match &dialing.progress {
                DialStage::Lookup(_) => u64::MAX,
                DialStage::Dial(dial) => dial.due(),
            };
            due.min(slow).min(dialing.begun.saturating_add(within))
        });
        let waits = (unmet || self.unreachable).then_some(&self.targets);
        let retries = waits.into_iter().flatten().filter_map(TargetState::tried_again_at);
        // One that may be tried already is not wanted before something else happens.
        let retries = retries.filter(|at| *at > now);
        dials.chain(retries).min().unwrap_or(u64::MAX)
    }

    /// Ends the work of a pool that drains, once no job is left.
    fn stop_if_done(&mut self) {
        if let Some(jobs) = &self.outgoing.jobs {
            if jobs.permits().out() > 0 {
                return;
            }
            // A job that still comes learns that it is too late.
            jobs.close();
        }
        self.stopped = true;
        self.dials.clear();
        self.state.shard_stopped_accepting();
    }
}

impl Dialing {
    fn is_slow(&self, now: u64) -> bool {
        self.begun.saturating_add(SLOW) <= now
    }
}

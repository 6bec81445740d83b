use std::io;
use std::sync::{Arc, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::data::PartReader;
use super::launch::Site;
use super::message::{Message, VERSION, other_versions};
use super::{Upgrade, notify, socket};
use crate::lifecycle::pool_state::Phase;
use crate::moves::departure::Refused;
use crate::moves::packed_connection::PackedConnection;
use crate::net::fd_channel::FdChannel;
use crate::net::listener::ListeningSocket;
use crate::server::handover::HandedListener;
use crate::{Pool, PoolError};

/// How often it looks whether the connections that have come have joined their pools.
const LOOK: Duration = Duration::from_millis(1);

/// A new process that takes over from an old one, until its pools run.
pub(super) struct Successor {
    channel: FdChannel,
    /// The number of the old process.
    old: u32,
    listeners: Vec<HandedListener>,
    /// The old process stands still for the last part of its data.
    still: bool,
}

/// A new process that serves, and that the old one may still leave.
pub(super) struct Committing {
    /// `None` if the old process has died.
    channel: Option<Arc<FdChannel>>,
    /// The old process will not come back.
    committed: bool,
}

/// The reason why the old process has sent no message.
enum Unanswered {
    /// It has died, and nobody listens in its place.
    Died,
    /// It lives, and goes on.
    Lives(String),
}

impl Successor {
    /// Looks for an old process, and takes its listeners and the first part of its data.
    pub(super) fn find(upgrade: &mut Upgrade, pools: &[Pool]) -> Result<Option<Self>, PoolError> {
        let path = upgrade.path.display().to_string();
        let connected = PoolError::io(format!("talk to the old process at {path}"));
        let Some(stream) = socket::find(&upgrade.path).map_err(connected)? else { return Ok(None) };
        if !socket::is_trusted(&stream) {
            return Err(unfit(format!("the process that listens at {path} is another user's")));
        }
        let channel = FdChannel::new(stream);
        channel.set_patience(upgrade.times.ready).map_err(PoolError::io("use a socket"))?;
        let pools = pools.iter().map(|pool| pool.name.clone()).collect();
        let hello = Message::Hello { version: VERSION, process: std::process::id(), pools };
        let mut new = Self { channel, old: 0, listeners: Vec::new(), still: false };
        let met = hello.send(&new.channel).map_err(|error| ending(&upgrade.path, Err(error)));
        match met.and_then(|()| new.receive_all(upgrade)) {
            Ok(()) => Ok(Some(new)),
            // It has ended, so that its listeners are free.
            Err(Unanswered::Died) => Ok(None),
            Err(Unanswered::Lives(why)) => Err(unfit(why)),
        }
    }

    fn receive_all(&mut self, upgrade: &mut Upgrade) -> Result<(), Unanswered> {
        let path = upgrade.path.clone();
        let next = |channel: &FdChannel| match Message::receive(channel) {
            Ok(Some(message)) => Ok(message),
            other => Err(ending(&path, other)),
        };
        let (expected, has_data) = match next(&self.channel)? {
            Message::Welcome { version: VERSION, process, listeners, data, still } => {
                (self.old, self.still) = (process, still);
                (listeners as usize, data)
            }
            Message::Welcome { version, .. } => {
                return Err(Unanswered::Lives(other_versions(version, VERSION)));
            }
            other => return Err(ending(&path, Ok(Some(other)))),
        };
        while self.listeners.len() < expected {
            match next(&self.channel)? {
                Message::Listeners { names, sockets } => {
                    for ((pool, text, nth), socket) in names.into_iter().zip(sockets) {
                        let socket = ListeningSocket::try_from(socket);
                        let socket = socket.map_err(|error| ending(&path, Err(error)))?;
                        self.listeners.push(HandedListener { pool, text, nth, socket });
                    }
                }
                other => return Err(ending(&path, Ok(Some(other)))),
            }
        }
        crate::log::info!(old = self.old, listeners = expected, "taking over");
        if !has_data {
            return Ok(());
        }
        let Some(data) = &mut upgrade.data else {
            let why = "the old process hands over data, and this one takes none; give it `Upgrade::data` or \
                 `Upgrade::together`, as the old one has";
            return Err(Unanswered::Lives(why.to_owned()));
        };
        let mut part = PartReader::new(&self.channel);
        let read = data.receive(&mut part);
        let refused = part.refused().map(str::to_owned);
        read.and_then(|()| part.finish()).map_err(|error| {
            let why = refused
                .unwrap_or_else(|| format!("cannot take the data of the old process: {error}"));
            Unanswered::Lives(why)
        })
    }

    pub(super) fn take_listeners(&mut self) -> Vec<HandedListener> {
        std::mem::take(&mut self.listeners)
    }

    /// Says that the pools run, takes the last part of the data, and serves.
    pub(super) fn take_over(self, site: &Arc<Site>) -> Result<Committing, PoolError> {
        let went = Message::Ready.send(&self.channel);
        let channel = match went
            .map_err(|error| ending(&site.path, Err(error)))
            .and_then(|()| self.wait(site))
        {
            Ok(()) => Some(Arc::new(self.channel)),
            Err(Unanswered::Died) => {
                crate::log::warn!(
                    old = self.old,
                    "the old process has died; this one goes on with what it has got"
                );
                None
            }
            Err(Unanswered::Lives(why)) => return Err(unfit(why)),
        };
        if self.still {
            site.pools.iter().for_each(|pool| pool.state.go_on());
        }
        if let Some(channel) = &channel {
            // The old process may have nothing to say for as long as its connections are busy.
            channel.wait_for_ever().map_err(PoolError::io("use a socket"))?;
        }
        for pool in &site.pools {
            pool.state.resume_held();
        }
        let mut progress = site.control.progress.lock();
        progress.last = Some(format!("this process takes over from process {}", self.old));
        drop(progress);
        Ok(Committing { channel, committed: self.still })
    }

    /// Waits until the old process accepts no more. One that has stood still has committed then, and has sent all
    /// connections.
    fn wait(&self, site: &Site) -> Result<(), Unanswered> {
        if self.still {
            let mut data = site.data.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(data) = &mut *data {
                let mut part = PartReader::new(&self.channel);
                let read = data.receive_last(&mut part);
                let refused = part.refused().map(str::to_owned);
                if let Err(error) = read.and_then(|()| part.finish()) {
                    if let Some(why) = refused {
                        return Err(Unanswered::Lives(why));
                    }
                    return Err(ending(&site.path, Err(error)));
                }
            }
        }
        match Message::receive(&self.channel) {
            Ok(Some(Message::Go)) if !self.still => Ok(()),
            Ok(Some(Message::Commit)) if self.still => {
                site.pools.iter().for_each(|pool| pool.state.stand_still());
                commit(site, &self.channel).map_err(|error| ending(&site.path, Err(error)))?;
                self.gather(site);
                Ok(())
            }
            other => Err(ending(&site.path, other)),
        }
    }
}

impl Successor {
    /// Takes all connections in before one of them has a turn, so that each finds all others to which it posts.
    fn gather(&self, site: &Site) {
        let why = match self.take_in_all(site) {
            Ok(Some(Message::Go)) => None,
            Ok(Some(other)) => {
                Some(format!("it has sent `{}`, which is out of order", other.name()))
            }
            Ok(None) => Some("it has ended".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = why {
            crate::log::warn!(why, "the old process has not sent all connections");
        }
        let until = Instant::now() + site.times.answer;
        for pool in site.pools.iter().filter(|pool| !pool.opens) {
            while pool.state.count_still(until) < pool.state.permits.out() && Instant::now() < until
            {
                thread::sleep(LOOK);
            }
        }
    }

    /// Takes connections in until another message comes.
    fn take_in_all(&self, site: &Site) -> io::Result<Option<Message>> {
        self.channel.set_patience(site.times.answer)?;
        loop {
            match Message::receive(&self.channel)? {
                Some(Message::Connections { packed, sockets }) => {
                    take_in(site, &self.channel, packed, sockets)?;
                }
                other => return Ok(other),
            }
        }
    }
}

impl Committing {
    /// The channel while it is of use, to end the wait for it.
    pub(super) fn channel(&self) -> Weak<FdChannel> {
        self.channel.as_ref().map(Arc::downgrade).unwrap_or_default()
    }

    /// Takes connections in until the old process will not come back. Returns whether this process stays.
    pub(super) fn follow(self, site: &Arc<Site>) -> bool {
        let Some(channel) = self.channel else {
            serves(site);
            return true;
        };
        if self.committed {
            serves(site);
            take_in_the_rest(site, channel);
            return true;
        }
        let received = loop {
            match Message::receive(&channel) {
                Ok(Some(Message::Connections { packed, sockets })) => {
                    if let Err(error) = take_in(site, &channel, packed, sockets) {
                        break Err(error);
                    }
                }
                Ok(Some(Message::Commit)) => match commit(site, &channel) {
                    Ok(()) => {
                        serves(site);
                        take_in_the_rest(site, channel);
                        return true;
                    }
                    Err(error) => break Err(error),
                },
                other => break other,
            }
        };
        // An old process that lives goes on from now.
        channel.shut();
        match ending(&site.path, received) {
            Unanswered::Died => {
                crate::log::warn!("the old process has died; this one goes on");
                serves(site);
                true
            }
            Unanswered::Lives(why) => {
                let ended = site.pools.iter().all(|pool| pool.state.phase() != Phase::Run);
                if !ended {
                    crate::log::error!(why, "the old process goes on, so this one drains");
                    site.drain();
                }
                false
            }
        }
    }
}

/// Tells that this process serves alone.
fn serves(site: &Site) {
    site.control.progress.lock().succeeded += 1;
    notify::tell("READY=1");
}

/// Answers that this process will serve alone; if it drains already, the old one hears that and goes on.
fn commit(site: &Site, channel: &FdChannel) -> io::Result<()> {
    if site.pools.iter().all(|pool| pool.state.phase() == Phase::Run) {
        return Message::Committed.send(channel);
    }
    let why = "the new process drains";
    Message::Refused { why: why.to_owned() }.send(channel)?;
    Err(io::Error::other(why))
}

/// Takes in what comes to rest while the old process drains.
fn take_in_the_rest(site: &Arc<Site>, channel: Arc<FdChannel>) {
    let site = Arc::clone(site);
    let thread = thread::Builder::new().name("upgrade-rest".to_owned()).spawn(move || {
        while let Ok(Some(Message::Connections { packed, sockets })) = Message::receive(&channel) {
            if take_in(&site, &channel, packed, sockets).is_err() {
                return;
            }
        }
    });
    if let Err(error) = thread {
        crate::log::warn!(%error, "connections stay in the old process");
    }
}

/// Takes connections in. The old process touches their sockets no more once it has heard that they are here.
fn take_in(
    site: &Site,
    channel: &FdChannel,
    packed: Vec<Vec<u8>>,
    sockets: Vec<std::os::fd::OwnedFd>,
) -> io::Result<()> {
    Message::Have.send(channel)?;
    let mut refused = Vec::new();
    for (number, (packed, socket)) in (0..).zip(packed.into_iter().zip(sockets)) {
        let Some(packed) = PackedConnection::decode(&packed) else {
            refused.push((number, "its data cannot be read".to_owned()));
            continue;
        };
        let pool = site.pools.iter().find(|pool| pool.name() == packed.pool);
        let taken = match pool {
            Some(pool) => pool.state.take_in(packed, socket).map_err(|refused| {
                let Refused { packed, socket, why } = *refused;
                // The old process has one of its own.
                drop(socket);
                format!("{why} (in state `{}` of pool `{}`)", packed.state, packed.pool)
            }),
            None => Err(format!("the new process has no pool `{}`", packed.pool)),
        };
        match taken {
            Ok(()) => site.control.progress.lock().moved_in += 1,
            Err(why) => refused.push((number, why)),
        }
    }
    Message::Taken { refused }.send(channel)
}

/// The meaning of another message than the expected one, or of none.
fn ending(path: &std::path::Path, received: io::Result<Option<Message>>) -> Unanswered {
    let why = match received {
        Ok(Some(Message::Refused { why })) => return Unanswered::Lives(why),
        Ok(Some(other)) => {
            format!("the old process has sent `{}`, which is out of order", other.name())
        }
        Ok(None) => "the old process has ended the upgrade".to_owned(),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            "the old process is silent".to_owned()
        }
        Err(error) => format!("cannot talk to the old process: {error}"),
    };
    if socket::is_alive(path) { Unanswered::Lives(why) } else { Unanswered::Died }
}

fn unfit(why: String) -> PoolError {
    PoolError::Upgrade { why }
}

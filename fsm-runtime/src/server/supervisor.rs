use std::io;
use std::sync::Arc;
#[cfg(unix)]
use std::thread;

use mio::{Events, Poll, Waker};

#[cfg(unix)]
use crate::Upgrader;
use crate::net::token;
use crate::server::signals::Signals;
#[cfg(unix)]
use crate::server::signals::UpgradeSignal;
use crate::server::thread::OnThreadEnd;
use crate::{PoolError, Running};

/// The work of the main thread while pools serve: it waits for a signal, or for the end of a pool.
pub(crate) struct Supervisor {
    // Dropped before the poll that it is registered with.
    signals: Signals,
    poll: Poll,
    waker: Arc<Waker>,
    #[cfg(unix)]
    upgrades: Option<Upgrades>,
}

/// The signal that begins an upgrade, and what it begins.
#[cfg(unix)]
struct Upgrades {
    signal: UpgradeSignal,
    upgrader: Upgrader,
}

impl Supervisor {
    pub(crate) fn new() -> Result<Self, PoolError> {
        let poll = Poll::new().map_err(PoolError::io("make a poll"))?;
        let waker = Waker::new(poll.registry(), token::WAKER);
        let waker = Arc::new(waker.map_err(PoolError::io("make a waker"))?);
        let signals = Signals::install(poll.registry());
        let signals = signals.map_err(PoolError::io("listen for signals"))?;
        Ok(Self {
            signals,
            poll,
            waker,
            #[cfg(unix)]
            upgrades: None,
        })
    }

    /// Lets SIGUSR2 begin an upgrade.
    #[cfg(unix)]
    pub(crate) fn upgrades(mut self, upgrader: Upgrader) -> Result<Self, PoolError> {
        let signal = UpgradeSignal::install(self.poll.registry());
        let signal = signal.map_err(PoolError::io("listen for signals"))?;
        self.upgrades = Some(Upgrades { signal, upgrader });
        Ok(self)
    }

    /// Wakes the supervisor when a thread of a pool has ended.
    pub(crate) fn on_thread_end(&self) -> OnThreadEnd {
        let waker = Arc::clone(&self.waker);
        Arc::new(move || {
            if let Err(error) = waker.wake() {
                crate::log::warn!(%error, "cannot wake the main thread");
            }
        })
    }

    /// Waits for a signal or the end of some pool, then drains them all.
    pub(crate) fn supervise(mut self, running: Running) -> Result<(), PoolError> {
        let mut events = Events::with_capacity(4);
        while !running.has_ended() {
            match self.poll.poll(&mut events, None) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(PoolError::io("wait for signals")(error)),
            }
            #[cfg(unix)]
            self.begin_upgrade();
            if self.signals.received() {
                crate::log::info!("draining; another signal ends the process");
                break;
            }
        }
        running.drain().map(drop)
    }

    /// Starts a process to take over, if the signal for that has come.
    #[cfg(unix)]
    fn begin_upgrade(&self) {
        let Some(Upgrades { signal, upgrader }) = &self.upgrades else { return };
        if !signal.received() {
            return;
        }
        let upgrader = upgrader.clone();
        let thread = thread::Builder::new().name("upgrade-signal".to_owned()).spawn(move || {
            if let Err(error) = upgrader.upgrade() {
                crate::log::error!(%error, "SIGUSR2 has changed nothing");
            }
        });
        if let Err(error) = thread {
            crate::log::error!(%error, "cannot start an upgrade");
        }
    }
}

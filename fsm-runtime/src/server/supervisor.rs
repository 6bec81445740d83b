use std::io;
use std::sync::Arc;

use mio::{Events, Poll, Waker};

use crate::PoolError;
use crate::net::token;
use crate::server::running::Running;
use crate::server::signals::Signals;

/// What the main thread does while pools serve: it waits for a signal, or for the end of one.
pub(crate) struct Supervisor {
    // Dropped before the poll that it is registered with.
    signals: Signals,
    poll: Poll,
    condvar: Arc<Waker>,
}

impl Supervisor {
    pub(crate) fn new() -> Result<Self, PoolError> {
        let poll = Poll::new().map_err(PoolError::io("make a poll"))?;
        let condvar = Waker::new(poll.registry(), token::WAKER);
        let condvar = Arc::new(condvar.map_err(PoolError::io("make a waker"))?);
        let signals = Signals::install(poll.registry());
        let signals = signals.map_err(PoolError::io("listen for signals"))?;
        Ok(Self { signals, poll, condvar })
    }

    /// What a thread rings when it has ended.
    pub(crate) fn condvar(&self) -> Arc<dyn Fn() + Send + Sync> {
        let condvar = Arc::clone(&self.condvar);
        Arc::new(move || {
            if let Err(error) = condvar.wake() {
                tracing::warn!(%error, "cannot wake the main thread");
            }
        })
    }

    /// Waits for a signal or the end of some pool, then drains.
    pub(crate) fn supervise(mut self, running: Running) -> Result<(), PoolError> {
        let mut events = Events::with_capacity(4);
        while !running.has_ended() {
            match self.poll.poll(&mut events, None) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(PoolError::io("wait for signals")(error)),
            }
            if self.signals.received() {
                tracing::info!("draining; another signal ends the process");
                break;
            }
        }
        running.drain().map(drop)
    }
}

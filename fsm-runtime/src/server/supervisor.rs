use std::io;
use std::sync::Arc;

use mio::{Events, Poll, Waker};

use crate::net::token;
use crate::server::signals::Signals;
use crate::server::thread::OnThreadEnd;
use crate::{PoolError, Running};

/// The work of the main thread while pools serve: it waits for a signal, or for the end of a pool.
pub(crate) struct Supervisor {
    // Dropped before the poll that it is registered with.
    signals: Signals,
    poll: Poll,
    waker: Arc<Waker>,
}

impl Supervisor {
    pub(crate) fn new() -> Result<Self, PoolError> {
        let poll = Poll::new().map_err(PoolError::io("make a poll"))?;
        let waker = Waker::new(poll.registry(), token::WAKER);
        let waker = Arc::new(waker.map_err(PoolError::io("make a waker"))?);
        let signals = Signals::install(poll.registry());
        let signals = signals.map_err(PoolError::io("listen for signals"))?;
        Ok(Self { signals, poll, waker })
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
            if self.signals.received() {
                crate::log::info!("draining; another signal ends the process");
                break;
            }
        }
        running.drain().map(drop)
    }
}

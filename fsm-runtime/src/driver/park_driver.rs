use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::driver::parker::Parker;
use crate::driver::worker::Driver;
use crate::lifecycle::drain::Drain;
use crate::lifecycle::pool_state::{Phase, PoolState};
use crate::net::readiness::Readiness;
use crate::scheduler::port::EventSource;
use crate::{Key, PoolError};

/// The waiting of a port without sockets.
pub(crate) struct ParkDriver {
    pub(crate) parker: Arc<Parker>,
    pub(crate) pool_state: Arc<PoolState>,
    pub(crate) drain: Drain,
}

impl Driver for ParkDriver {
    fn wait(&mut self, until: u64, clock: &mut Clock) -> Result<(), PoolError> {
        if self.pool_state.phase() != Phase::Drain {
            // It is nearly always so, and then the clock says nothing new.
            match until {
                0 => return Ok(()),
                u64::MAX => {
                    self.parker.sleep(None);
                    return Ok(());
                }
                _ => {}
            }
        }
        let (now, _) = clock.read();
        if self.drain.begins(&self.pool_state, now) {
            self.pool_state.close_if_drained();
        }
        let until = self.drain.ends_by(&self.pool_state).map_or(until, |by| by.min(until));
        if until > now {
            let time = Duration::from_millis(until - now);
            self.parker.sleep((until != u64::MAX).then_some(time));
        }
        Ok(())
    }

    fn take_up(&mut self, _: u64) {}
}

impl EventSource for ParkDriver {
    const EVER: bool = false;

    fn events(&mut self, _: &mut usize, _: impl FnMut(Key, Readiness)) {}
}

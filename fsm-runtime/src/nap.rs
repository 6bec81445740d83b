use std::sync::Arc;
use std::time::Duration;

use crate::bed::Bed;
use crate::clock::Clock;
use crate::control::{Control, Order};
use crate::link::Ready;
use crate::port::Tells;
use crate::worker::{Drain, Waits};
use crate::{Key, PoolError};

/// The waiting of a port without sockets.
pub(crate) struct Nap {
    pub(crate) bed: Arc<Bed>,
    pub(crate) control: Arc<Control>,
    pub(crate) drain: Drain,
}

impl Waits for Nap {
    fn wait(&mut self, until: u64, clock: &mut Clock) -> Result<(), PoolError> {
        if self.control.order() != Order::Drain {
            // It is nearly always so, and then the clock says nothing new.
            match until {
                0 => return Ok(()),
                u64::MAX => {
                    self.bed.sleep(None);
                    return Ok(());
                }
                _ => {}
            }
        }
        let (now, _) = clock.read();
        if self.drain.begins(&self.control, now) {
            self.control.close_if_drained();
        }
        let until = self.drain.ends_by(&self.control).map_or(until, |by| by.min(until));
        if until > now {
            let time = Duration::from_millis(until - now);
            self.bed.sleep((until != u64::MAX).then_some(time));
        }
        Ok(())
    }

    fn take_up(&mut self, _: u64) {}
}

impl Tells for Nap {
    const EVER: bool = false;

    fn events(&mut self, _: &mut usize, _: impl FnMut(Key, Ready)) {}
}

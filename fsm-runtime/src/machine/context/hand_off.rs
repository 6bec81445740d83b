use std::sync::Arc;

use super::Cx;
use super::calls::{Nowhere, Shed};
use crate::call::hand_off::{HandOffTarget, PendingHandOff};
use crate::call::mailboxes::Outbound;
use crate::call::semaphore::{NoPermit, QueuedPermit};
use crate::{Connection, Handed, Machine};

impl<Msg: Send + 'static> Cx<'_, Msg, Connection> {
    /// Leaves for the pool of route number `route`, or waits for room there. Generated code calls
    /// it when a `#[handoff(..)]` state without a `full` edge is entered.
    #[doc(hidden)]
    pub fn hand_off<M: Machine>(&mut self, route: usize, seed: M::Seed) {
        let Some(to) = self.entry::<Arc<dyn HandOffTarget<M::Seed>>>(route) else { return };
        let outbound: Outbound =
            match to.semaphore().offer_or_queue(|| self.mailboxes.wakes(), self.key) {
                Ok(Ok(permit)) => Box::new(PendingHandOff::new(Arc::clone(to), seed, permit)),
                Ok(Err(waiting)) => Box::new(Queued { seed, waiting, to: Arc::clone(to) }),
                Err(_) => Box::new(Nowhere),
            };
        self.mailboxes.set_outbound(self.key, Some(outbound));
    }

    /// The same for a state with a `full` edge: it does not wait for room.
    #[doc(hidden)]
    pub fn try_hand_off<M: Machine>(&mut self, route: usize, seed: M::Seed) {
        let Some(to) = self.entry::<Arc<dyn HandOffTarget<M::Seed>>>(route) else { return };
        let outbound: Outbound = match to.semaphore().try_offer() {
            Ok(permit) => Box::new(PendingHandOff::new(Arc::clone(to), seed, permit)),
            Err(NoPermit::Full) => Box::new(Shed(seed)),
            Err(NoPermit::Closed) => Box::new(Nowhere),
        };
        self.mailboxes.set_outbound(self.key, Some(outbound));
    }

    /// What has become of the hand-off. Generated code asks in a `#[handoff(..)]` state.
    #[doc(hidden)]
    pub fn handed<M: Machine>(&mut self) -> Handed<M::Seed> {
        let Some(outbound) = self.mailboxes.take_outbound(self.key) else { return Handed::Waiting };
        let outbound = match outbound.downcast::<Queued<M::Seed>>() {
            Ok(mut queued) => match queued.waiting.ready() {
                None => queued as Outbound,
                Some(Ok(permit)) => {
                    let Queued { seed, to, .. } = *queued;
                    Box::new(PendingHandOff::new(to, seed, permit))
                }
                Some(Err(_)) => return Handed::Gone,
            },
            Err(outbound) => outbound,
        };
        if outbound.is::<Nowhere>() {
            return Handed::Gone;
        }
        match outbound.downcast::<Shed<M::Seed>>() {
            Ok(shed) => Handed::Full(shed.0),
            Err(outbound) => {
                self.mailboxes.set_outbound(self.key, Some(outbound));
                Handed::Waiting
            }
        }
    }
}

/// A connection that waits for room.
struct Queued<Seed> {
    seed: Seed,
    waiting: QueuedPermit,
    to: Arc<dyn HandOffTarget<Seed>>,
}

use std::sync::Arc;

use super::Cx;
use crate::call::hand_off::{HandOffTarget, PendingHandOff};
use crate::call::outbound::Outbound;
use crate::call::semaphore::NoPermit;
use crate::{Connection, Handed, Machine};

impl<Msg: Send + 'static, Settings> Cx<'_, Msg, Settings, Connection> {
    /// Prepares the connection to leave for the pool of the route, or queues it for a permit there.
    /// Generated code calls it when a `#[handoff(..)]` state without a `full` edge is entered.
    #[doc(hidden)]
    pub fn hand_off<M: Machine>(&mut self, route: usize, seed: M::Seed) {
        let Some(target) = self.route_entry::<Arc<dyn HandOffTarget<M::Seed>>>(route) else {
            return;
        };
        let granted =
            target.semaphore().offer_or_queue(|| self.environment.mailboxes.waker(), self.key);
        let target = Arc::clone(target);
        self.set_outbound(match granted {
            Ok(Ok(permit)) => Outbound::Leaving(PendingHandOff::new(target, seed, permit)),
            Ok(Err(permit)) => Outbound::queued_hand_off(seed, permit, target),
            Err(_) => Outbound::Gone,
        });
    }

    /// Prepares the connection to leave for the pool of the route, or returns the seed if that is
    /// full. Generated code calls it when a `#[handoff(..)]` state with a `full` edge is entered.
    #[doc(hidden)]
    pub fn try_hand_off<M: Machine>(&mut self, route: usize, seed: M::Seed) {
        let Some(target) = self.route_entry::<Arc<dyn HandOffTarget<M::Seed>>>(route) else {
            return;
        };
        self.set_outbound(match target.semaphore().try_offer() {
            Ok(permit) => Outbound::Leaving(PendingHandOff::new(Arc::clone(target), seed, permit)),
            Err(NoPermit::Full) => Outbound::Refused(Box::new(seed)),
            Err(NoPermit::Closed) => Outbound::Gone,
        });
    }

    /// The progress of the hand-off; takes the permit of a queued connection. Generated code calls
    /// it in a `#[handoff(..)]` state.
    #[doc(hidden)]
    pub fn handed<M: Machine>(&mut self) -> Handed<M::Seed> {
        let Some(outbound) = self.environment.mailboxes.take_outbound(self.key) else {
            return Handed::Waiting;
        };
        match outbound {
            Outbound::HandOff(mut queued) => match queued.poll_permit() {
                None => {
                    self.set_outbound(Outbound::HandOff(queued));
                    Handed::Waiting
                }
                Some(Ok(permit)) => {
                    self.set_outbound(Outbound::Leaving(queued.with_permit(permit)));
                    Handed::Leaving
                }
                Some(Err(_)) => Handed::Gone,
            },
            Outbound::Leaving(hand_off) => {
                self.set_outbound(Outbound::Leaving(hand_off));
                Handed::Leaving
            }
            Outbound::Refused(seed) => {
                seed.downcast().map_or(Handed::Gone, |seed| Handed::Full(*seed))
            }
            Outbound::Job(_) | Outbound::Gone => Handed::Gone,
        }
    }
}

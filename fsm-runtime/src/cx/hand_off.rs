use std::sync::Arc;

use super::Cx;
use super::calls::{Nowhere, Shed};
use crate::arrivals::{Arrivals, Departure};
use crate::credits::{NoCredit, Waiting};
use crate::inbox::Away;
use crate::{Connection, Handed, Machine};

impl<Msg: Send + 'static> Cx<'_, Msg, Connection> {
    /// Leaves for the pool of route number `route`, or waits for room there. Generated code calls
    /// it when a `#[handoff(..)]` state without a `full` edge is entered.
    #[doc(hidden)]
    pub fn hand_off<M: Machine>(&mut self, route: usize, seed: M::Seed) {
        let Some(to) = self.entry::<Arc<dyn Arrivals<M>>>(route) else { return };
        let away: Away = match to.credits().offer_or_wait(|| self.inbox.wakes(), self.key) {
            Ok(Ok(credit)) => Box::new(Departure::new(Arc::clone(to), seed, credit)),
            Ok(Err(waiting)) => Box::new(Queued::<M> { seed, waiting, to: Arc::clone(to) }),
            Err(_) => Box::new(Nowhere),
        };
        self.inbox.put_away(self.key, Some(away));
    }

    /// The same for a state with a `full` edge: it does not wait for room.
    #[doc(hidden)]
    pub fn try_hand_off<M: Machine>(&mut self, route: usize, seed: M::Seed) {
        let Some(to) = self.entry::<Arc<dyn Arrivals<M>>>(route) else { return };
        let away: Away = match to.credits().offer() {
            Ok(credit) => Box::new(Departure::new(Arc::clone(to), seed, credit)),
            Err(NoCredit::Full) => Box::new(Shed(seed)),
            Err(NoCredit::Closed) => Box::new(Nowhere),
        };
        self.inbox.put_away(self.key, Some(away));
    }

    /// What has become of the hand-off. Generated code asks in a `#[handoff(..)]` state.
    #[doc(hidden)]
    pub fn handed<M: Machine>(&mut self) -> Handed<M> {
        let Some(away) = self.inbox.take_away(self.key) else { return Handed::Waits };
        let away = match away.downcast::<Queued<M>>() {
            Ok(mut queued) => match queued.waiting.ready() {
                None => queued as Away,
                Some(Ok(credit)) => {
                    let Queued { seed, to, .. } = *queued;
                    Box::new(Departure::new(to, seed, credit))
                }
                Some(Err(_)) => return Handed::Gone,
            },
            Err(away) => away,
        };
        if away.is::<Nowhere>() {
            return Handed::Gone;
        }
        match away.downcast::<Shed<M::Seed>>() {
            Ok(shed) => Handed::Full(shed.0),
            Err(away) => {
                self.inbox.put_away(self.key, Some(away));
                Handed::Waits
            }
        }
    }
}

/// A connection that waits for room.
struct Queued<M: Machine> {
    seed: M::Seed,
    waiting: Waiting,
    to: Arc<dyn Arrivals<M>>,
}

use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::arrivals::{Arrivals, Parcel};
use crate::credits::{Credit, Credits};
use crate::inbox::Return;
use crate::jobs::Jobs;
use crate::task::Entry;
use crate::{Machine, Route, Service};

/// The pools that a machine calls and hands over to, as a test plays them.
pub(super) struct Desks {
    played: Played,
    entries: Arc<[Entry]>,
}

/// Each pool once.
#[derive(Default)]
pub(crate) struct Played {
    pools: Vec<Box<dyn Any>>,
    credits: Vec<Arc<Credits>>,
}

/// Makes a pool that a test plays, unless it is among those that are `played` already, and an entry
/// to it.
pub(crate) type Stage = fn(&mut Played) -> Entry;

/// A pool that takes jobs.
struct JobDesk<S: Service> {
    credits: Arc<Credits>,
    /// Jobs that the test has not seen.
    waiting: Mutex<VecDeque<(S::Job, Given)>>,
    /// Those that it has seen and not answered.
    taken: Mutex<VecDeque<Given>>,
}

/// Where the reply to a job goes, and the room that it takes until then.
struct Given {
    to: Return,
    _credit: Credit,
}

/// A pool that takes connections.
struct Quay<M: Machine> {
    credits: Arc<Credits>,
    seeds: Mutex<VecDeque<M::Seed>>,
}

impl Desks {
    pub(super) fn new(routes: &[Route]) -> Self {
        let mut played = Played::default();
        let entries = routes.iter().map(|route| (route.stage)(&mut played)).collect();
        Self { played, entries }
    }

    /// An entry for each route.
    pub(super) fn entries(&self) -> Arc<[Entry]> {
        Arc::clone(&self.entries)
    }

    fn desk<S: Service>(&self) -> &JobDesk<S> {
        let found =
            self.played.pools.iter().find_map(|desk| desk.downcast_ref::<Arc<JobDesk<S>>>());
        found
            .unwrap_or_else(|| panic!("the machine does not call `{}`", std::any::type_name::<S>()))
    }

    fn quay<M: Machine>(&self) -> &Quay<M> {
        let found = self.played.pools.iter().find_map(|quay| quay.downcast_ref::<Arc<Quay<M>>>());
        found.unwrap_or_else(|| {
            panic!("the machine does not hand over to `{}`", std::any::type_name::<M>())
        })
    }

    /// Closes all pools: nobody gets an answer.
    pub(super) fn close_all(&self) {
        for credits in &self.played.credits {
            credits.close();
        }
    }

    /// The next job for `S`.
    pub(super) fn job<S: Service>(&self) -> Option<S::Job> {
        let desk = self.desk::<S>();
        let (job, given) = lock(&desk.waiting).pop_front()?;
        lock(&desk.taken).push_back(given);
        Some(job)
    }

    /// Answers the first job of `S` that was seen, or lets it fail.
    pub(super) fn answer<S: Service>(&self, reply: Option<S::Reply>) {
        let given = lock(&self.desk::<S>().taken).pop_front();
        let Some(Given { to, _credit }) = given else {
            panic!("no job of `{}` was taken", std::any::type_name::<S>())
        };
        match reply {
            Some(reply) => to.send(reply),
            None => drop(to),
        }
    }

    pub(super) fn room<S: Service>(&self, jobs: usize) {
        self.desk::<S>().credits.set_limit(jobs);
    }

    pub(super) fn close<S: Service>(&self) {
        let desk = self.desk::<S>();
        desk.credits.close();
        lock(&desk.waiting).clear();
        lock(&desk.taken).clear();
    }

    pub(super) fn seed<M: Machine>(&self) -> Option<M::Seed> {
        lock(&self.quay::<M>().seeds).pop_front()
    }

    pub(super) fn room_for<M: Machine>(&self, connections: usize) {
        self.quay::<M>().credits.set_limit(connections);
    }
}

pub(crate) fn stage_jobs<S: Service>(played: &mut Played) -> Entry {
    let desk = played.pools.iter().find_map(|desk| desk.downcast_ref::<Arc<JobDesk<S>>>()).cloned();
    let desk = desk.unwrap_or_else(|| {
        let credits = Arc::new(Credits::new(usize::MAX));
        played.credits.push(Arc::clone(&credits));
        let desk =
            Arc::new(JobDesk::<S> { credits, waiting: Mutex::default(), taken: Mutex::default() });
        played.pools.push(Box::new(Arc::clone(&desk)));
        desk
    });
    Box::new(desk as Arc<dyn Jobs<S>>)
}

pub(crate) fn stage_arrivals<M: Machine>(played: &mut Played) -> Entry {
    let quay = played.pools.iter().find_map(|quay| quay.downcast_ref::<Arc<Quay<M>>>()).cloned();
    let quay = quay.unwrap_or_else(|| {
        let credits = Arc::new(Credits::new(usize::MAX));
        played.credits.push(Arc::clone(&credits));
        let quay = Arc::new(Quay::<M> { credits, seeds: Mutex::default() });
        played.pools.push(Box::new(Arc::clone(&quay)));
        quay
    });
    Box::new(quay as Arc<dyn Arrivals<M>>)
}

impl<S: Service> Jobs<S> for JobDesk<S> {
    fn credits(&self) -> &Arc<Credits> {
        &self.credits
    }

    fn submit(&self, job: S::Job, credit: Credit, to: Return) {
        lock(&self.waiting).push_back((job, Given { to, _credit: credit }));
    }
}

impl<M: Machine> Arrivals<M> for Quay<M> {
    fn credits(&self) -> &Arc<Credits> {
        &self.credits
    }

    fn arrive(&self, seed: M::Seed, credit: Credit, _: Parcel) {
        // Its connection stays in that pool, as far as the test goes.
        credit.keep();
        lock(&self.seeds).push_back(seed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

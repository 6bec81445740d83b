//! The places of other pools at which connections and jobs wait.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::asked::{Asked, WaitEnd};
use super::threads;
use crate::call::mailboxes::CallState;
use crate::call::reply::Caller;
use crate::lifecycle::pool_state::PoolState;
use crate::scheduler::survey::{Doing, Found, PastTransition};
use crate::{Activity, JobPlace, Key, Position, TaskSnapshot, TransitionSnapshot};

/// A pool that some of the connections or jobs wait for.
struct TargetPool {
    pool: Arc<PoolState>,
    /// Those that wait for room.
    for_room: HashSet<Key>,
    /// Those that wait for replies.
    for_jobs: HashSet<Caller>,
}

/// The answers of a [`TargetPool`].
struct Places {
    pool: Arc<PoolState>,
    in_queue: HashMap<Key, Position>,
    jobs: HashMap<Caller, JobPlace>,
    /// The place of all other jobs.
    other: JobPlace,
}

/// Describes connections or jobs of a pool, and follows them to the pools that they wait for.
pub(super) fn tasks(
    pool: &PoolState,
    found: &[Found],
    until: WaitEnd,
    depth: usize,
) -> Vec<TaskSnapshot> {
    let targets = targets(pool, found);
    // All are asked before the first is waited for.
    let asked = targets.into_iter().map(|target| {
        let asked =
            target.asks(depth).then(|| Asked::for_jobs(&target.pool, target.for_jobs.clone()));
        (target, asked)
    });
    let asked: Vec<_> = asked.collect();
    let places = asked.into_iter().map(|(target, asked)| target.places(asked, until, depth));
    let places: Vec<Places> = places.collect();
    found.iter().map(|found| task(pool, found, &places)).collect()
}

fn targets(pool: &PoolState, found: &[Found]) -> Vec<TargetPool> {
    let mut targets: Vec<TargetPool> = Vec::new();
    for Found { key, state, call, .. } in found {
        let (Some(key), CallState::WaitsForRoom | CallState::Pending { .. }) = (*key, *call) else {
            continue;
        };
        let Some(to) = target_of(pool, *state) else { continue };
        let known = targets.iter().position(|target| Arc::ptr_eq(&target.pool, &to));
        let index = known.unwrap_or_else(|| {
            let (for_room, for_jobs) = (HashSet::new(), HashSet::new());
            targets.push(TargetPool { pool: to, for_room, for_jobs });
            targets.len() - 1
        });
        match *call {
            CallState::Pending { number } => targets[index].for_jobs.insert(Caller { key, number }),
            _ => targets[index].for_room.insert(key),
        };
    }
    targets
}

/// The pool that the state with this index calls or hands over to.
fn target_of(pool: &PoolState, state: usize) -> Option<Arc<PoolState>> {
    pool.facts.target(pool.facts.spec.states.get(state)?.name)
}

impl TargetPool {
    /// Whether its ports must be asked about the jobs.
    fn asks(&self, depth: usize) -> bool {
        depth > 0 && !self.for_jobs.is_empty() && self.pool.connection_jobs().is_none()
    }

    fn places(self, asked: Option<Asked>, until: WaitEnd, depth: usize) -> Places {
        let Self { pool, for_room, for_jobs } = self;
        let in_queue = if for_room.is_empty() {
            HashMap::new()
        } else {
            pool.offered_permits().positions(&for_room)
        };
        let (mut jobs, mut other) = (HashMap::new(), JobPlace::Unknown);
        if let Some(answers) = pool.connection_jobs().filter(|_| !for_jobs.is_empty()) {
            jobs = answers.places(&for_jobs);
        }
        if let Some(asked) = asked {
            let answer = asked.wait(until);
            let open = usize::try_from(pool.stats().open).unwrap_or(usize::MAX);
            let threads = threads::that_run(&pool);
            if !threads.is_empty() {
                let jobs = open.saturating_sub(answer.told()).max(1);
                other = JobPlace::Taken { threads, jobs };
            }
            let callers: Vec<Option<Caller>> =
                answer.found.iter().map(|found| found.caller).collect();
            let tasks = tasks(&pool, &answer.found, until, depth - 1);
            let places = callers.into_iter().zip(tasks);
            jobs.extend(
                places.filter_map(|(caller, task)| Some((caller?, JobPlace::Task(Box::new(task))))),
            );
        }
        Places { pool, in_queue, jobs, other }
    }
}

fn task(pool: &PoolState, found: &Found, places: &[Places]) -> TaskSnapshot {
    let activity = activity(pool, found, places);
    let Found { key, state, age, left, peer, unread, unsent, messages, awaited, .. } = *found;
    TaskSnapshot {
        pool: Arc::clone(&pool.facts.name),
        key,
        peer,
        state: &pool.facts.spec.states[state],
        age,
        left,
        unread,
        unsent,
        messages,
        awaited,
        activity,
        label: found.label.clone(),
        history: history(pool, found),
    }
}

fn history(pool: &PoolState, found: &Found) -> Vec<TransitionSnapshot> {
    let past = found.history.iter().filter_map(|PastTransition { edge, ago }| {
        let (from, edge) = pool.facts.spec.edges().nth(*edge)?;
        Some(TransitionSnapshot { from, edge, ago: *ago })
    });
    past.collect()
}

fn activity(pool: &PoolState, found: &Found, places: &[Places]) -> Activity {
    match found.doing {
        Doing::Waits => {}
        Doing::Queued => return Activity::Queued,
        Doing::Runs => return Activity::Runs,
        Doing::Closes => return Activity::Closes,
    }
    let Some(key) = found.key else { return Activity::Waits };
    let to = || {
        let target = target_of(pool, found.state)?;
        places.iter().find(|places| Arc::ptr_eq(&places.pool, &target))
    };
    let name = |places: &Places| Arc::clone(&places.pool.facts.name);
    match found.call {
        CallState::None => Activity::Waits,
        CallState::WaitsForRoom => {
            let to = to();
            let position = to.and_then(|places| places.in_queue.get(&key).copied());
            Activity::WaitsForRoom { pool: to.map(name), position }
        }
        CallState::Pending { number } => {
            let to = to();
            let job = to.map_or(JobPlace::Unknown, |places| {
                let job = places.jobs.get(&Caller { key, number });
                job.unwrap_or(&places.other).clone()
            });
            Activity::WaitsForJob { pool: to.map(name), job }
        }
    }
}

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::launch::SitePool;
use crate::lifecycle::pool_state::PoolState;
use crate::server::snapshot;
use crate::{Filter, State, Wait};

/// Ends the connections that wait only for their peers, of which each could hold an upgrade up.
pub(super) fn end<'a>(pools: impl Iterator<Item = &'a SitePool>, until: Instant) {
    for pool in pools {
        let ended = end_in(&pool.state, until);
        if ended > 0 {
            let pool = pool.name();
            crate::log::warn!(
                pool,
                ended,
                "ended connections that wait only for their peers, so that the others can move"
            );
        }
    }
}

fn end_in(pool: &Arc<PoolState>, until: Instant) -> usize {
    let left = || until.saturating_duration_since(Instant::now());
    let mut ended = 0;
    for state in pool.facts.spec.states.iter().filter(|state| waits_for_its_peer(state)) {
        let filter = Filter::new().state(state.name).limit(usize::MAX);
        let found = snapshot::of_pool(pool, &filter, left());
        for key in found.tasks.iter().filter_map(|task| task.key) {
            if left() == Duration::ZERO {
                return ended;
            }
            // One that is gone, or has a turn, needs no end.
            ended +=
                usize::from(snapshot::end::connection(&[Arc::clone(pool)], key, left()).is_ok());
        }
    }
    ended
}

/// Whether a connection in this state has nothing more to do than to send, or to throw input away.
fn waits_for_its_peer(state: &State) -> bool {
    let is_one = |wait: &Wait| {
        matches!(wait, Wait::Flush | Wait::Writable { .. } | Wait::Discard { .. } | Wait::End)
    };
    !state.waits.is_empty() && state.waits.iter().all(is_one)
}

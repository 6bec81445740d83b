use std::time::Instant;

use crate::lifecycle::pool_state::PoolState;
use crate::scheduler::observe::{Observe, RunningTurn};
use crate::scheduler::shared::Blocked;
use crate::scheduler::thread_stat::ThreadStat;
use crate::{Block, RunningHandler, ThreadSnapshot};

/// The threads of a port of the pool with this name.
pub(super) fn of_port(
    pool: &str,
    number: usize,
    port: &dyn Observe,
    now: Instant,
) -> Vec<ThreadSnapshot> {
    let mut turns = Vec::new();
    port.running(&mut turns);
    let threads = 0..port.threads();
    let threads = threads.map(|thread| ThreadSnapshot {
        name: format!("{pool}/{}", number * port.threads() + thread),
        running: turns
            .iter()
            .find(|turn| turn.thread == thread)
            .and_then(|turn| handler(port, turn, now)),
    });
    threads.collect()
}

/// The threads of a pool that run handlers.
pub(super) fn that_run(pool: &PoolState) -> Vec<ThreadSnapshot> {
    let (name, now) = (&pool.facts.name, Instant::now());
    let ports = pool.facts.ports().enumerate();
    let ports = ports.filter_map(|(number, port)| Some((number, port.port()?)));
    let threads = ports.flat_map(|(number, port)| of_port(name, number, &*port, now));
    threads.filter(|thread| thread.running.is_some()).collect()
}

fn handler(port: &dyn Observe, turn: &RunningTurn, now: Instant) -> Option<RunningHandler> {
    let since = port.seen(turn.thread, turn.turn, now);
    let stat = || ThreadStat::open(turn.id.as_ref()?)?.sleeps();
    Some(RunningHandler {
        key: turn.key,
        state: port.spec().states.get(turn.state)?,
        at_least: now.saturating_duration_since(since),
        block: match turn.blocked {
            Some(Blocked::Declared) => Some(Block::Declared),
            Some(Blocked::Observed) => Some(Block::Seen),
            None => (stat() == Some(true)).then_some(Block::Seen),
        },
    })
}

use std::time::Duration;

use serde_json::{Value, json};

use crate::server::progress::UpgradeProgress;
use crate::spec::{SharedTarget, Starts};
use crate::{
    Age, Block, Edge, EdgeCount, Key, PoolPhase, PoolSnapshot, Room, RunningHandler, Since,
    Snapshot, Spec, State, Stats, TaskSnapshot, ThreadSnapshot, TransitionSnapshot, Wait,
};

/// The pools with the counts of their states, and the upgrades of the process. `may_end` says whether a token is set.
pub(super) fn pools(snapshot: &Snapshot, of: Option<&UpgradeProgress>, may_end: bool) -> Value {
    let pools: Vec<Value> = snapshot.pools.iter().map(pool).collect();
    json!({ "pools": pools, "token": may_end, "upgrade": of.map(upgrade) })
}

fn upgrade(progress: &UpgradeProgress) -> Value {
    json!({
        "step": progress.step.name(),
        "succeeded": progress.succeeded,
        "failed": progress.failed,
        "moved_in": progress.moved_in,
        "moved_out": progress.moved_out,
        "stayed": progress.stayed,
        "last": progress.last,
    })
}

fn pool(pool: &PoolSnapshot) -> Value {
    let states = pool.states.iter().map(|counted| {
        let oldest = counted.oldest.map(seconds);
        json!({ "state": counted.state.name, "count": counted.count, "oldest_seconds": oldest })
    });
    let threads = pool.ports.iter().flat_map(|port| &port.threads).map(thread);
    json!({
        "name": &*pool.name,
        "phase": phase(pool.phase),
        "stats": stats(&pool.stats),
        "room": room(pool.room),
        "job_room": pool.job_room.map(room),
        "max_running": pool.ports.iter().map(|port| port.max_running).sum::<usize>(),
        "threads": threads.collect::<Vec<_>>(),
        "unanswered": pool.unanswered().map(|port| port.number).collect::<Vec<_>>(),
        "states": states.collect::<Vec<_>>(),
        "edges": pool.edges.iter().map(|taken| edge(pool.spec, taken)).collect::<Vec<_>>(),
    })
}

/// An edge of a pool's machine with the number of its transitions.
fn edge(spec: &Spec, EdgeCount { state, edge, count }: &EdgeCount) -> Value {
    json!({
        "from": state.name,
        "to": spec.states[edge.target].name,
        "on": edge.on.name(),
        "count": count,
    })
}

pub(super) fn phase(phase: PoolPhase) -> &'static str {
    match phase {
        PoolPhase::Serves => "serves",
        PoolPhase::Drains => "drains",
        PoolPhase::Closed => "closed",
    }
}

/// The reasons to end, with their numbers.
pub(super) fn ends(stats: &Stats) -> [(&'static str, u64); 14] {
    [
        ("done", stats.done),
        ("failed", stats.failed),
        ("reset", stats.reset),
        ("truncated", stats.truncated),
        ("tls_failed", stats.tls_failures),
        ("layer_failed", stats.layer_failures),
        ("panicked", stats.panicked),
        ("send_timeout", stats.send_timeouts),
        ("busy_loop", stats.busy_loops),
        ("drained", stats.drained),
        ("shed", stats.shed),
        ("closed", stats.closed),
        ("handed_off", stats.handed_off),
        ("moved", stats.moved),
    ]
}

fn stats(stats: &Stats) -> Value {
    let ends: serde_json::Map<String, Value> =
        ends(stats).into_iter().map(|(why, count)| (why.to_owned(), count.into())).collect();
    json!({
        "accepted": stats.accepted,
        "open": stats.open,
        "peak": stats.peak,
        "ends": ends,
        "offered": stats.offered,
        "taken": stats.taken,
        "refused": stats.refused,
        "abandoned": stats.abandoned,
        "waiting": stats.waiting,
        "datagrams_dropped": stats.datagrams_dropped,
        "datagrams_unsent": stats.datagrams_unsent,
        "accept_failures": stats.accept_failures,
        "turned_away": stats.turned_away,
        "connect_failures": stats.connect_failures,
    })
}

fn room(Room { taken, limit, waiting }: Room) -> Value {
    json!({ "taken": taken, "limit": limit, "waiting": waiting })
}

/// The ports with their threads.
pub(super) fn threads(snapshot: &Snapshot) -> Value {
    let ports = snapshot.pools.iter().flat_map(|pool| {
        pool.ports.iter().map(|port| {
            json!({
                "pool": &*pool.name,
                "port": port.number,
                "open": port.open,
                "max_running": port.max_running,
                "threads": port.threads.iter().map(thread).collect::<Vec<_>>(),
            })
        })
    });
    json!({ "ports": ports.collect::<Vec<_>>() })
}

fn thread(thread: &ThreadSnapshot) -> Value {
    let running = thread.running.map(|RunningHandler { key, state, at_least, block }| {
        json!({
            "key": key_in_url(key),
            "state": state.name,
            "at_least_seconds": seconds(at_least),
            "blocks": block.map(|block| match block {
                Block::Declared => "declared",
                Block::Seen => "seen",
            }),
        })
    });
    json!({ "name": thread.name, "running": running })
}

/// A connection or job.
pub(super) fn task(task: &TaskSnapshot) -> Value {
    let since = task.age.map(|Age { since, .. }| match since {
        Since::Entered => "entered",
        Since::Progress => "progress",
        Since::FirstByte => "first_byte",
        Since::HalfClosed => "half_closed",
        Since::Group => "group",
    });
    json!({
        "key": task.key.map(key_in_url),
        "pool": &*task.pool,
        "state": task.state.name,
        "peer": task.peer.map(|peer| peer.to_string()),
        "age_seconds": task.age.map(|age| seconds(age.time)),
        "since": since,
        "left_seconds": task.left.map(seconds),
        "unread": task.unread,
        "unsent": task.unsent,
        "messages": task.messages,
        "label": task.label,
        "why": task.to_string(),
    })
}

/// A connection or job with its last transitions.
pub(super) fn task_with_history(task: &TaskSnapshot, spec: &Spec) -> Value {
    let history = task.history.iter().map(|TransitionSnapshot { from, edge, ago }| {
        json!({
            "from": from.name,
            "to": spec.states[edge.target].name,
            "on": edge.on.to_string(),
            "ago_seconds": seconds(*ago),
        })
    });
    let mut value = self::task(task);
    value["history"] = history.collect();
    value
}

/// The key as a path has it. `#`, which logs print, would end the path.
pub(super) fn key_in_url(key: Key) -> String {
    format!("{}-{}", key.index(), key.generation())
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

/// The graphs of the pools' machines.
pub(super) fn specs(snapshot: &Snapshot) -> Value {
    let pools = snapshot.pools.iter().map(|pool| {
        let routes = pool
            .routes
            .iter()
            .map(|route| json!({ "state": route.state.name, "pool": &*route.pool }));
        json!({
            "pool": &*pool.name,
            "machine": spec(pool.spec),
            "routes": routes.collect::<Vec<_>>(),
        })
    });
    json!({ "pools": pools.collect::<Vec<_>>() })
}

fn spec(spec: &Spec) -> Value {
    let notes = spec.shared();
    let states = spec.states.iter().enumerate().map(|(index, it)| state(index, it, &notes));
    json!({
        "name": spec.name,
        "docs": spec.docs,
        "start": spec.start,
        "starts": match spec.starts {
            Starts::Connection => "connection",
            Starts::Seed => "seed",
            Starts::Job => "job",
        },
        "messages": spec.messages,
        "moves": spec.moves,
        "states": states.collect::<Vec<_>>(),
        "notes": notes.iter().map(note).collect::<Vec<_>>(),
    })
}

/// A note in place of edges that many states share: lines of events, each followed by one that says from where.
fn note(note: &SharedTarget) -> Value {
    json!({
        "target": note.target,
        "mark": note.mark,
        "marked": note.marked_states(),
        "lines": note.lines(),
    })
}

fn state(index: usize, state: &State, notes: &[SharedTarget]) -> Value {
    let edges = state.edges.iter().map(|&Edge { on, target }| {
        let in_note = notes.iter().any(|note| note.target == target && note.has(index, on));
        json!({ "on": on.to_string(), "target": target, "in_note": in_note })
    });
    json!({
        "name": state.name,
        "docs": state.docs,
        "waits": state.waits.iter().map(Wait::to_string).collect::<Vec<_>>(),
        "rest": state.rest,
        "end": state.is_end(),
        "edges": edges.collect::<Vec<_>>(),
    })
}

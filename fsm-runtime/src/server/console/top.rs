use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use super::json::{key_in_url, phase};
use super::metrics::ThreadCounts;
use super::shared::{Shared, WITHIN};
use super::text::{printable, short_time};
use crate::{Filter, PoolSnapshot, Snapshot};

const LINES: usize = 24;
const COLUMNS: usize = 80;
/// The most pools and the most states in a frame.
const ROWS: usize = 6;
/// Makes the cursor go home.
const HOME: &str = "\x1b[H";
/// Clears the rest of the line, and what is below.
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

/// Frames of text for a terminal.
#[derive(Default)]
pub(super) struct Top {
    last: Option<Counters>,
}

/// The counters of an earlier frame.
struct Counters {
    at: Instant,
    /// By the name of the pool.
    pools: HashMap<Arc<str>, Flow>,
}

/// What has come to a pool, and what has ended.
#[derive(Clone, Copy)]
struct Flow {
    accepted: u64,
    ended: u64,
}

impl Top {
    /// The next frame: what is full and what is old.
    pub(super) fn next(&mut self, shared: &Shared) -> String {
        let counts = shared.counts();
        let oldest = shared.observer.snapshot_of(&Filter::new().limit(LINES), WITHIN);
        let mut lines = vec![head(&counts)];
        self.pools(&counts, &mut lines);
        states(&counts, &mut lines);
        tasks(oldest, &mut lines);
        lines.truncate(LINES);
        let mut frame = HOME.to_owned();
        for (number, line) in lines.iter().enumerate() {
            let end = if number == 0 { "" } else { "\r\n" };
            let line: String = line.chars().take(COLUMNS).collect();
            let _ = write!(frame, "{end}{line}{CLEAR_LINE}");
        }
        frame + CLEAR_BELOW
    }

    fn pools(&mut self, counts: &Snapshot, lines: &mut Vec<String>) {
        let now = Instant::now();
        let flow =
            |pool: &PoolSnapshot| Flow { accepted: pool.stats.accepted, ended: pool.stats.ended() };
        let last = self.last.replace(Counters {
            at: now,
            pools: counts.pools.iter().map(|pool| (Arc::clone(&pool.name), flow(pool))).collect(),
        });
        lines.push(format!(
            "{:<14}{:>8}{:>9}{:>8}{:>8}{:>7}{:>6}{:>6}{:>6}  {}",
            "POOL", "OPEN", "ROOM", "NEW/s", "END/s", "WAIT", "RUN", "BLOCK", "IDLE", "PHASE"
        ));
        for pool in counts.pools.iter().take(ROWS) {
            let new = flow(pool);
            let old = last.as_ref().and_then(|last| Some((last.at, *last.pools.get(&pool.name)?)));
            let rate = |new: u64, old: u64, since: Instant| {
                let millis =
                    u64::try_from(now.duration_since(since).as_millis()).unwrap_or(u64::MAX);
                (new.saturating_sub(old) * 1_000 / millis.max(1)).to_string()
            };
            let (news, ends) = match old {
                Some((at, old)) => {
                    (rate(new.accepted, old.accepted, at), rate(new.ended, old.ended, at))
                }
                None => ("-".to_owned(), "-".to_owned()),
            };
            let ThreadCounts { running, blocked, idle } = ThreadCounts::of(pool);
            lines.push(format!(
                "{:<14}{:>8}{:>9}{news:>8}{ends:>8}{:>7}{running:>6}{blocked:>6}{idle:>6}  {}",
                column(&pool.name, 14),
                pool.stats.open,
                pool.room.limit,
                pool.stats.waiting,
                phase(pool.phase),
            ));
        }
        if counts.pools.len() > ROWS {
            lines.push(format!("and {} more pools", counts.pools.len() - ROWS));
        }
    }
}

fn head(counts: &Snapshot) -> String {
    let sum = |of: fn(&PoolSnapshot) -> u64| counts.pools.iter().map(of).sum::<u64>();
    let silent: usize = counts.pools.iter().map(|pool| pool.unanswered().count()).sum();
    let mut line = format!(
        "{} pools, {} open, {} ended, {} wait for room",
        counts.pools.len(),
        sum(|pool| pool.stats.open),
        sum(|pool| pool.stats.ended()),
        sum(|pool| pool.stats.waiting),
    );
    if silent > 0 {
        let _ = write!(line, "; {silent} ports are in a handler");
    }
    line
}

/// The states with the most connections or jobs.
fn states(counts: &Snapshot, lines: &mut Vec<String>) {
    let all =
        counts.pools.iter().flat_map(|pool| pool.states.iter().map(move |state| (pool, state)));
    let mut all: Vec<_> = all.filter(|(_, counted)| counted.count > 0).collect();
    all.sort_by_key(|(_, counted)| std::cmp::Reverse(counted.count));
    lines.push(String::new());
    lines.push(format!("{:<14}{:>8}{:>9}  {}", "STATES OF", "THERE", "OLDEST", "STATE"));
    for (pool, counted) in all.iter().take(ROWS) {
        let oldest = counted.oldest.map_or_else(|| "-".to_owned(), short_time);
        let (pool, count, state) = (column(&pool.name, 14), counted.count, counted.state.name);
        lines.push(format!("{pool:<14}{count:>8}{oldest:>9}  {state}"));
    }
}

/// The oldest connections and jobs.
fn tasks(snapshot: Snapshot, lines: &mut Vec<String>) {
    let mut tasks: Vec<_> = snapshot.pools.into_iter().flat_map(|pool| pool.tasks).collect();
    tasks.sort_by_key(|task| std::cmp::Reverse(task.age.map(|age| age.time)));
    lines.push(String::new());
    lines.push(format!("{:<9} {:<9} {}", "OLDEST OF", "KEY", "WHERE AND WHY"));
    for task in tasks {
        let key = task.key.map_or_else(|| "-".to_owned(), key_in_url);
        let why = printable(&task.to_string());
        lines.push(format!("{:<9} {key:<9} {why}", column(&task.pool, 9)));
    }
}

/// A name that leaves a space in a column of this width.
fn column(name: &str, width: usize) -> String {
    let name = printable(name);
    let len = name.chars().count();
    if len < width { name } else { name.chars().take(width - 2).chain(['~']).collect() }
}

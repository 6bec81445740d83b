use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use super::json::{key_in_url, phase};
use super::metrics::ThreadCounts;
use super::shared::{ConsoleShared, WITHIN};
use super::text::{printable, sentence, short_time};
use crate::server::progress::{UpgradeProgress, UpgradeStep};
use crate::{Edge, Filter, PoolSnapshot, Snapshot, StateCount};

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
    last: Option<EarlierCounts>,
}

/// The counters of an earlier frame.
struct EarlierCounts {
    at: Instant,
    /// By the name of the pool.
    pools: HashMap<Arc<str>, Flow>,
}

/// The counts of what was accepted, has ended and has moved in a pool.
struct Flow {
    accepted: u64,
    ended: u64,
    /// The transitions by the number of the edge.
    edges: Vec<u64>,
}

/// The rates of a pool's edges since the last frame, a second.
type Rates = HashMap<Arc<str>, Vec<u64>>;

impl Top {
    /// The next frame: what is full and what is old.
    pub(super) fn next(&mut self, shared: &ConsoleShared) -> String {
        let counts = shared.counts();
        let oldest = shared.observer.snapshot_of(&Filter::new().limit(LINES), WITHIN);
        let mut lines = vec![head(&counts)];
        lines.extend(shared.upgrade().as_ref().and_then(upgrade));
        let rates = self.pools(&counts, &mut lines);
        states(&counts, &rates, &mut lines);
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

    /// Prints the pools. Returns the rates of their edges.
    fn pools(&mut self, counts: &Snapshot, lines: &mut Vec<String>) -> Rates {
        let now = Instant::now();
        let mut rates = Rates::new();
        let last = self.last.replace(EarlierCounts {
            at: now,
            pools: counts
                .pools
                .iter()
                .map(|pool| (Arc::clone(&pool.name), Flow::of(pool)))
                .collect(),
        });
        lines.push(format!(
            "{:<14}{:>8}{:>9}{:>8}{:>8}{:>7}{:>6}{:>6}{:>6}  {}",
            "POOL", "OPEN", "ROOM", "NEW/s", "END/s", "WAIT", "RUN", "BLOCK", "IDLE", "PHASE"
        ));
        for (row, pool) in counts.pools.iter().enumerate() {
            let new = Flow::of(pool);
            let old = last.as_ref().and_then(|last| Some((last.at, last.pools.get(&pool.name)?)));
            let (mut news, mut ends) = ("-".to_owned(), "-".to_owned());
            if let Some((at, old)) = old {
                let millis = u64::try_from(now.duration_since(at).as_millis()).unwrap_or(u64::MAX);
                let rate = |new: u64, old: u64| {
                    new.saturating_sub(old).saturating_mul(1_000) / millis.max(1)
                };
                news = rate(new.accepted, old.accepted).to_string();
                ends = rate(new.ended, old.ended).to_string();
                let edges = new.edges.iter().zip(&old.edges).map(|(new, old)| rate(*new, *old));
                rates.insert(Arc::clone(&pool.name), edges.collect());
            }
            if row >= ROWS {
                continue;
            }
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
        rates
    }
}

/// A line about the upgrades of the process, if there was one.
fn upgrade(progress: &UpgradeProgress) -> Option<String> {
    let UpgradeProgress { step, moved_in, moved_out, stayed, last, .. } = progress;
    if *step == UpgradeStep::Waits && last.is_none() {
        return None;
    }
    let stayed: u64 = stayed.values().sum();
    let last = printable(last.as_deref().unwrap_or("-"));
    Some(format!(
        "upgrade: {}, moved in {moved_in}, out {moved_out}, stayed {stayed}; {last}",
        step.name()
    ))
}

impl Flow {
    fn of(pool: &PoolSnapshot) -> Self {
        Self {
            accepted: pool.stats.accepted,
            ended: pool.stats.ended(),
            edges: pool.edges.iter().map(|edge| edge.count).collect(),
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
    match silent {
        0 => {}
        1 => line.push_str("; 1 port is in a handler"),
        silent => {
            let _ = write!(line, "; {silent} ports are in handlers");
        }
    }
    line
}

/// The states with the most connections or jobs, and the edge of each that is taken most.
fn states(counts: &Snapshot, rates: &Rates, lines: &mut Vec<String>) {
    let mut all = Vec::new();
    for pool in &counts.pools {
        for counted in &pool.states {
            let (out, busiest) = leaving(pool, counted, rates.get(&pool.name));
            if counted.count > 0 || out > 0 {
                all.push((pool, counted, out, busiest));
            }
        }
    }
    all.sort_by_key(|(_, counted, out, _)| std::cmp::Reverse((counted.count, *out)));
    lines.push(String::new());
    lines.push(format!(
        "{:<14}{:>8}{:>9}{:>8}  {}",
        "STATES OF", "THERE", "OLDEST", "OUT/s", "STATE"
    ));
    for (pool, counted, out, busiest) in all.into_iter().take(ROWS) {
        let oldest = counted.oldest.map_or_else(|| "-".to_owned(), short_time);
        let (name, count, state) = (column(&pool.name, 14), counted.count, counted.state.name);
        let leads = busiest.map(|edge| {
            let to = pool.spec.states[edge.target].name;
            format!(", most to {to} ({})", edge.on.name())
        });
        let leads = leads.unwrap_or_default();
        lines.push(format!("{name:<14}{count:>8}{oldest:>9}{out:>8}  {state}{leads}"));
    }
}

/// How often a state is left or stayed in, a second, and the edge that is taken most.
fn leaving(
    pool: &PoolSnapshot,
    counted: &StateCount,
    rates: Option<&Vec<u64>>,
) -> (u64, Option<&'static Edge>) {
    let edges = pool.edges.iter().zip(rates.into_iter().flatten());
    let of_state = edges.filter(|(edge, _)| edge.state.name == counted.state.name);
    let moving = of_state.filter(|(_, rate)| **rate > 0);
    let (mut out, mut busiest) = (0, None);
    for (edge, rate) in moving {
        out += rate;
        if busiest.is_none_or(|(_, most)| most < *rate) {
            busiest = Some((edge.edge, *rate));
        }
    }
    (out, busiest.map(|(edge, _)| edge))
}

/// The oldest connections and jobs.
fn tasks(snapshot: Snapshot, lines: &mut Vec<String>) {
    let mut tasks: Vec<_> = snapshot.pools.into_iter().flat_map(|pool| pool.tasks).collect();
    tasks.sort_by_key(|task| std::cmp::Reverse(task.age.map(|age| age.time)));
    lines.push(String::new());
    lines.push(format!("{:<9} {:<9} {}", "OLDEST OF", "KEY", "WHERE AND WHY"));
    for task in tasks {
        let key = task.key.map_or_else(|| "-".to_owned(), key_in_url);
        let why = sentence(&task);
        lines.push(format!("{:<9} {key:<9} {why}", column(&task.pool, 9)));
    }
}

/// A name that leaves a space in a column of this width.
fn column(name: &str, width: usize) -> String {
    let name = printable(name);
    let len = name.chars().count();
    if len < width { name } else { name.chars().take(width - 2).chain(['~']).collect() }
}

use std::env;
use std::process::Command;

use crate::figure::{Target, Unit, Value};
use crate::measure::Series;
use crate::{Error, Figure, Lab, Peer};

/// Rows of the table that the block test prints.
const ROWS: [(Peer, &str); 2] =
    [(Peer::Ours, "one port, 8 threads, cap 2, watched"), (Peer::TokioThreads, "tokio, 2 workers")];

/// What the others get while 4 of 64 handlers block for 5 ms and do not say so: the block test.
pub(super) fn blocked(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let bar = lab.bar("blocked", lab.runs() as u64);
    let mut tails = vec![Vec::new(); ROWS.len()];
    let mut rates = vec![Vec::new(); ROWS.len()];
    for _ in 0..lab.runs() {
        let table = run(lab)?;
        for ((_, name), (tails, rates)) in ROWS.iter().zip(tails.iter_mut().zip(&mut rates)) {
            let row = Row::find(&table, name)
                .ok_or_else(|| Error::failed(format!("the block test has no row `{name}`")))?;
            tails.push(row.p99);
            rates.push(row.rate);
        }
        bar.inc(1);
    }
    let series = |runs: Vec<Vec<f64>>| {
        let values = ROWS.iter().zip(runs).map(|((peer, _), runs)| (*peer, Value::of(runs)));
        Series { values: values.collect(), skipped: Vec::new() }
    };
    Ok(vec![
        Figure::new(
            "blocked-p99",
            "p99 of the others while 4 of 64 handlers block 5 ms",
            Unit::Milliseconds,
            [Target::Times(0.1, Peer::TokioThreads)],
            series(tails),
        ),
        Figure::new(
            "blocked-rate",
            "answers a second of the others while 4 of 64 handlers block 5 ms",
            Unit::Number,
            // More is better.
            [Target::AtLeast(0.0)],
            series(rates),
        ),
    ])
}

/// The table that it prints.
fn run(lab: &Lab) -> Result<String, Error> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let seconds = if lab.quick { "0.3" } else { "1" };
    let out = Command::new(cargo)
        .args(["run", "--quiet", "--release", "--package", "fsm-tests", "--bin", "blocked", "--"])
        .args(["--rounds", "1", "--seconds", seconds])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|error| Error::missing(format!("cargo: {error}")))?;
    if !out.status.success() {
        return Err(Error::failed(String::from_utf8_lossy(&out.stderr)));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// A row of it.
#[derive(Debug, PartialEq)]
struct Row {
    rate: f64,
    p99: f64,
}

impl Row {
    fn find(table: &str, name: &str) -> Option<Self> {
        table.lines().find_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let [server, rate, _, p99, _] = std::array::from_fn(|_| cells.next().unwrap_or(""));
            (server == name).then_some(())?;
            Some(Self { rate: rate.parse().ok()?, p99: p99.strip_suffix(" ms")?.parse().ok()? })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_by_its_name() {
        let table = "| server | a | p50 | p99 | b |\n|---|--:|--:|--:|--:|\n\
                     | one port, not watched | 7600 | 7.89 ms | 10.39 ms | 380 |\n\
                     | one port | 52683 | 1.05 ms | 4.96 ms | 593 |\n";
        assert_eq!(Row::find(table, "one port"), Some(Row { rate: 52683.0, p99: 4.96 }));
        assert_eq!(Row::find(table, "server"), None);
        assert_eq!(Row::find(table, "tokio"), None);
    }
}

use std::env;
use std::process::Command;

use crate::error::Error;
use crate::figure::{Figure, Measured, Series, Statistics, Target, Unit};
use crate::lab::Lab;
use crate::peer::Peer;

/// The rows that the figure takes from the table of `fsm-tests`' program `blocked`.
const ROWS: [(Peer, &str); 2] =
    [(Peer::Ours, "one port, 8 threads, cap 2, watched"), (Peer::TokioThreads, "tokio, 2 workers")];

/// Latency of the other connections while handlers block without declaring it.
pub(super) fn blocked(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let bar = lab.progress_bar("blocked", lab.runs() as u64);
    let mut latencies = vec![Vec::new(); ROWS.len()];
    for _ in 0..lab.runs() {
        let table = table(lab)?;
        for ((_, name), latencies) in ROWS.iter().zip(&mut latencies) {
            let missing = || Error::failed(format!("the program `blocked` has no row `{name}`"));
            latencies.push(p99(&table, name).ok_or_else(missing)?);
        }
        bar.inc(1);
    }
    let measured = ROWS
        .iter()
        .zip(latencies)
        .map(|(&(peer, _), latencies)| Measured { peer, value: Statistics::of(latencies) });
    let series = Series { measured: measured.collect(), skipped: Vec::new() };
    let title =
        "p99 latency of the other connections while 4 of 64 handlers block for 5 ms undeclared";
    let targets = [Target::Times(0.1, Peer::TokioThreads)];
    Ok(vec![Figure::new("blocked-p99", title, Unit::Milliseconds, targets, series)])
}

/// Runs the program and returns the table that it prints.
fn table(lab: &Lab) -> Result<String, Error> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let seconds = if lab.quick { "0.3" } else { "1" };
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--release", "--package", "fsm-tests", "--bin", "blocked", "--"])
        .args(["--rounds", "1", "--seconds", seconds])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|error| Error::missing(format!("cargo: {error}")))?;
    if !output.status.success() {
        return Err(Error::failed(String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The milliseconds in the fourth column of a row.
fn p99(table: &str, row: &str) -> Option<f64> {
    table.lines().find_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        if cells.next() != Some(row) {
            return None;
        }
        cells.nth(2)?.strip_suffix(" ms")?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_by_its_name() {
        let table = "| server | a | p50 | p99 | b |\n|---|--:|--:|--:|--:|\n\
                     | one port, not watched | 7600 | 7.89 ms | 10.39 ms | 380 |\n\
                     | one port | 52683 | 1.05 ms | 4.96 ms | 593 |\n";
        assert_eq!(p99(table, "one port"), Some(4.96));
        assert_eq!(p99(table, "server"), None);
        assert_eq!(p99(table, "tokio"), None);
    }
}

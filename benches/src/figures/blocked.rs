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
    for _ in 0..lab.runs() {
        let table = run(lab)?;
        for ((_, name), tails) in ROWS.iter().zip(&mut tails) {
            let missing = || Error::failed(format!("the block test has no row `{name}`"));
            tails.push(p99(&table, name).ok_or_else(missing)?);
        }
        bar.inc(1);
    }
    let values = ROWS.iter().zip(tails).map(|((peer, _), tails)| (*peer, Value::of(tails)));
    let series = Series { values: values.collect(), skipped: Vec::new() };
    let what = "p99 of the others while 4 of 64 handlers block 5 ms and do not say so";
    let targets = [Target::Times(0.1, Peer::TokioThreads)];
    Ok(vec![Figure::new("blocked-p99", what, Unit::Milliseconds, targets, series)])
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

/// The milliseconds that are in its fourth column.
fn p99(table: &str, server: &str) -> Option<f64> {
    table.lines().find_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        if cells.next() != Some(server) {
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

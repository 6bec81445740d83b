//! How things are counted.

use crate::figure::Value;
use crate::{Error, Lab, Peer};

pub(crate) mod allocations;
pub(crate) mod callgrind;
pub(crate) mod cpu;
pub(crate) mod memory;
pub(crate) mod system_calls;

/// Two amounts of the same work: what one more of it costs is the slope between them, without what
/// it costs to begin and to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slope {
    pub(crate) few: u64,
    pub(crate) many: u64,
}

impl Slope {
    pub(crate) fn of(self, mut cost: impl FnMut(u64) -> Result<f64, Error>) -> Result<f64, Error> {
        let few = cost(self.few)?;
        let many = cost(self.many)?;
        Ok(self.between(few, many))
    }

    #[expect(clippy::cast_precision_loss, reason = "amounts of work are far below 2^53")]
    pub(crate) fn between(self, few: f64, many: f64) -> f64 {
        (many - few) / (self.many - self.few) as f64
    }
}

/// What was measured of each peer, and who is missing.
#[derive(Debug, Default)]
pub(crate) struct Series {
    pub(crate) values: Vec<(Peer, Value)>,
    pub(crate) skipped: Vec<(Peer, String)>,
}

/// Measures each peer so many times, all of them once before any of them twice: what disturbs the
/// machine for a while disturbs them all.
///
/// A peer that is missing or fails is skipped, and it is said why. But we must not fail.
pub(crate) fn rounds(
    lab: &Lab,
    name: &str,
    peers: &[Peer],
    runs: usize,
    mut one: impl FnMut(Peer) -> Result<f64, Error>,
) -> Result<Series, Error> {
    let bar = lab.bar(name, (peers.len() * runs) as u64);
    let mut measured: Vec<(Peer, Vec<f64>)> = peers.iter().map(|peer| (*peer, vec![])).collect();
    let mut series = Series::default();
    for _ in 0..runs {
        for (peer, values) in &mut measured {
            bar.inc(1);
            if series.skipped.iter().any(|(skipped, _)| skipped == peer) {
                continue;
            }
            bar.set_message(format!("{name}: {}", peer.word()));
            match one(*peer) {
                Ok(value) => values.push(value),
                Err(error @ Error::Failed(_)) if *peer == Peer::Ours => return Err(error),
                Err(error) => {
                    lab.say(&format!("{name}: {} is skipped: {error}", peer.word()));
                    series.skipped.push((*peer, error.to_string()));
                }
            }
        }
    }
    measured.retain(|(peer, _)| series.skipped.iter().all(|(skipped, _)| skipped != peer));
    series.values = measured.into_iter().map(|(peer, runs)| (peer, Value::of(runs))).collect();
    Ok(series)
}

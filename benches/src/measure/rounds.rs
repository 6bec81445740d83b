use crate::error::Error;
use crate::figure::{Measured, Series, Skipped, Statistics};
use crate::lab::Lab;
use crate::peer::Peer;

/// Measures each peer `runs` times: all of them once, then all of them again.
///
/// Rounds spread a temporary disturbance of the machine over all peers. A peer that is missing or
/// fails is skipped, with the reason, and one that `--peers` does not name is left out.
///
/// # Errors
///
/// Returns the error of a measurement of [`Peer::Ours`] that failed.
pub(crate) fn in_rounds(
    lab: &Lab,
    name: &str,
    peers: &[Peer],
    runs: usize,
    mut measure: impl FnMut(Peer) -> Result<f64, Error>,
) -> Result<Series, Error> {
    let peers: Vec<Peer> = peers.iter().copied().filter(|&peer| lab.is_wanted(peer)).collect();
    let bar = lab.progress_bar(name, (peers.len() * runs) as u64);
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); peers.len()];
    let mut series = Series::default();
    for _ in 0..runs {
        for (&peer, values) in peers.iter().zip(&mut values) {
            bar.inc(1);
            if series.is_skipped(peer) {
                continue;
            }
            bar.set_message(format!("{name}: {}", peer.name()));
            match measure(peer) {
                Ok(value) => values.push(value),
                Err(error @ Error::Failed(_)) if peer == Peer::Ours => return Err(error),
                Err(error) => {
                    lab.log(&format!("{name}: {} is skipped: {error}", peer.name()));
                    series.skipped.push(Skipped { peer, reason: error.to_string() });
                }
            }
        }
    }
    for (peer, values) in peers.into_iter().zip(values) {
        if !series.is_skipped(peer) {
            series.measured.push(Measured { peer, value: Statistics::of(values) });
        }
    }
    Ok(series)
}

use serde::Serialize;

use super::statistics::Statistics;
use crate::peer::Peer;

/// The same measurement for several peers.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Series {
    pub(crate) measured: Vec<Measured>,
    pub(crate) skipped: Vec<Skipped>,
}

/// A peer with its measurement.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) peer: Peer,
    #[serde(flatten)]
    pub(crate) value: Statistics,
}

/// A peer without a measurement.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Skipped {
    pub(crate) peer: Peer,
    pub(crate) reason: String,
}

impl Series {
    pub(crate) fn value(&self, peer: Peer) -> Option<Statistics> {
        self.measured.iter().find(|measured| measured.peer == peer).map(|measured| measured.value)
    }

    pub(crate) fn median(&self, peer: Peer) -> Option<f64> {
        self.value(peer).map(|value| value.median)
    }

    pub(crate) fn is_skipped(&self, peer: Peer) -> bool {
        self.skipped.iter().any(|skipped| skipped.peer == peer)
    }
}

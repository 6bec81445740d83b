use std::sync::atomic::{AtomicU8, Ordering};

/// The phases of a pool. A pool moves from one to a later one, and never back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// The pool serves, or has not started yet.
    Run,
    /// The pool accepts nothing new, and ends when nothing is left.
    Drain,
    /// The pool ends at once.
    Close,
}

/// The phase of a pool, which any thread may read and advance.
#[derive(Debug)]
pub(crate) struct AtomicPhase(AtomicU8);

impl AtomicPhase {
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(Phase::Run as u8))
    }

    pub(crate) fn load(&self) -> Phase {
        match self.0.load(Ordering::SeqCst) {
            0 => Phase::Run,
            1 => Phase::Drain,
            _ => Phase::Close,
        }
    }

    /// Moves to `phase`, unless the pool is in a later one already.
    pub(crate) fn advance(&self, phase: Phase) {
        self.0.fetch_max(phase as u8, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_never_goes_back() {
        let phase = AtomicPhase::new();
        assert_eq!(phase.load(), Phase::Run);
        for (advance, expected) in [
            (Phase::Drain, Phase::Drain),
            (Phase::Run, Phase::Drain),
            (Phase::Close, Phase::Close),
            (Phase::Drain, Phase::Close),
        ] {
            phase.advance(advance);
            assert_eq!(phase.load(), expected);
        }
    }
}

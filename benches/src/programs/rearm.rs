//! A machine that changes its state on each byte, with a deadline in each state and without.
//!
//! It runs on a port with timers, but on a pipe in memory. The clock advances by a second every
//! thousand turns, so a timer entry expires every 30,000 turns.

use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

/// State changes of a long turn, slightly below a port's limit of handler calls per turn.
pub(crate) const BATCH: u64 = 1000;

#[state_machine(start = Left, eof => Gone)]
enum Armed {
    #[read(exact = 1, within = 30s => Gone)]
    #[to(Right)]
    Left,
    #[read(exact = 1, within = 30s => Gone)]
    #[to(Left)]
    Right,
    #[end]
    Gone,
}

#[state_machine(start = Left, eof => Gone)]
enum Unlimited {
    #[read(exact = 1, within = never)]
    #[to(Right)]
    Left,
    #[read(exact = 1, within = never)]
    #[to(Left)]
    Right,
    #[end]
    Gone,
}

struct Counter<'a>(&'a mut u64);

impl armed::Handler for Counter<'_> {
    fn left(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> armed::AfterLeft {
        *self.0 += u64::from(byte[0]);
        armed::AfterLeft::Right
    }

    fn right(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> armed::AfterRight {
        *self.0 += u64::from(byte[0]);
        armed::AfterRight::Left
    }
}

impl unlimited::Handler for Counter<'_> {
    fn left(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> unlimited::AfterLeft {
        *self.0 += u64::from(byte[0]);
        unlimited::AfterLeft::Right
    }

    fn right(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> unlimited::AfterRight {
        *self.0 += u64::from(byte[0]);
        unlimited::AfterRight::Left
    }
}

/// Whether the states have a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Deadline {
    Armed,
    Never,
}

/// Runs `turns` turns of `changes` state changes each; returns the total number of changes.
pub(crate) fn run(deadline: Deadline, turns: u64, changes: u64) -> u64 {
    let mut total = 0;
    let counter = Counter(&mut total);
    match deadline {
        Deadline::Armed => drive(Session::<Armed, _>::new(counter), turns, changes),
        Deadline::Never => drive(Session::<Unlimited, _>::new(counter), turns, changes),
    }
    total
}

fn drive<M, H>(mut session: Session<M, H>, turns: u64, changes: u64)
where
    M: Drive<H> + Machine<Kind = fsm_runtime::Connection>,
{
    let bytes = vec![1; usize::try_from(changes).unwrap_or(usize::MAX)];
    for turn in 0..turns {
        // Advancing the clock makes the port check its timers, as a poll does, so it is rare.
        if turn % 1000 == 0 {
            session.advance(Duration::from_secs(1));
        }
        session.send(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_changes_the_state() {
        for deadline in [Deadline::Armed, Deadline::Never] {
            assert_eq!(run(deadline, 40_000, 1), 40_000);
            assert_eq!(run(deadline, 3, BATCH), 3 * BATCH);
        }
    }
}

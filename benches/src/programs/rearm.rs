//! A machine whose every byte is a change of its state, with a deadline in each state and without.
//!
//! It runs on a port, with its timers, but on a pipe in memory and with a clock that moves on by a
//! second every thousand turns. So a timer comes up every 30,000 turns.

use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

/// Bytes that are there at once in a long turn; a port gives a turn a few more handler calls.
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
enum Endless {
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

impl endless::Handler for Counter<'_> {
    fn left(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> endless::AfterLeft {
        *self.0 += u64::from(byte[0]);
        endless::AfterLeft::Right
    }

    fn right(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> endless::AfterRight {
        *self.0 += u64::from(byte[0]);
        endless::AfterRight::Left
    }
}

/// Whether the states have a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Deadline {
    Armed,
    Endless,
}

/// Goes through so many turns, each with so many changes of state; says how many there were.
pub(crate) fn run(deadline: Deadline, turns: u64, changes: u64) -> u64 {
    let mut total = 0;
    let counter = Counter(&mut total);
    match deadline {
        Deadline::Armed => drive(Session::<Armed, _>::new(counter), turns, changes),
        Deadline::Endless => drive(Session::<Endless, _>::new(counter), turns, changes),
    }
    total
}

fn drive<M, H>(mut session: Session<M, H>, turns: u64, changes: u64)
where
    M: Drive<H> + Machine<Kind = fsm_runtime::Connection>,
{
    let bytes = vec![1; usize::try_from(changes).unwrap_or(usize::MAX)];
    for turn in 0..turns {
        // To move the clock makes the port look at its timers, as a poll does, so it is seldom done.
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
    fn every_byte_is_a_change() {
        for deadline in [Deadline::Armed, Deadline::Endless] {
            assert_eq!(run(deadline, 40_000, 1), 40_000);
            assert_eq!(run(deadline, 3, BATCH), 3 * BATCH);
        }
    }
}

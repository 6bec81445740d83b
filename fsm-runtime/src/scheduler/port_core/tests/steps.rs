//! The steps of the histories of a port of several threads.

use super::histories::Random;
use crate::scheduler::port_core::ThreadIndex;

/// The bounds of a history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    pub(super) max_running: usize,
    pub(super) threads: usize,
    /// The most connections.
    pub(super) connections: usize,
    /// A thread that has ended something asks at once and gives other work to others, as `Shared` does
    /// it under its lock. Otherwise these are steps of their own.
    pub(super) at_once: bool,
}

impl Setup {
    pub(super) fn random(random: &mut Random) -> Self {
        Self {
            max_running: 1 + random.below(3),
            threads: 1 + random.below(5),
            connections: 1 + random.below(5),
            at_once: random.below(4) != 0,
        }
    }
}

/// A step of a history. Its number is taken modulo the number of things that it may concern.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Post(usize),
    /// The thread that polls is back and finds an event.
    Event(usize),
    /// The thread that polls has inserted all events.
    Polled,
    /// The thread asks, if it is about to.
    Take(ThreadIndex),
    Release,
    Done(ThreadIndex),
    DoneAgain(ThreadIndex),
    Block(ThreadIndex),
    Unblock(ThreadIndex),
    Open,
    Close(usize),
    /// The connection whose turn the thread runs comes to its end.
    End(ThreadIndex),
    /// A packet for a connection that is gone.
    PostDead(usize),
    EventDead(usize),
    /// The port closes.
    ClosePort,
}

impl Step {
    pub(super) fn random(random: &mut Random) -> Self {
        let kind = random.below(64);
        let n = random.below(60);
        match kind {
            0..=11 => Self::Post(n),
            12..=21 => Self::Event(n),
            22..=28 => Self::Polled,
            29..=31 => Self::Take(n),
            32 | 33 => Self::Release,
            34..=41 => Self::Done(n),
            42..=45 => Self::DoneAgain(n),
            46..=49 => Self::Block(n),
            50..=53 => Self::Unblock(n),
            54..=57 => Self::Open,
            58 | 59 => Self::Close(n),
            60 => Self::End(n),
            61 => Self::PostDead(n),
            62 => Self::EventDead(n),
            // One history in three.
            _ if n < 20 => Self::ClosePort,
            _ => Self::Release,
        }
    }
}

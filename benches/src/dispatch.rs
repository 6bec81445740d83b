//! One connection machine, in each way to write it: three live states and an end.
//!
//! ```text
//!   Idle --request of n chunks--> Reading --the last chunk--> Writing --flushed--> Idle
//!   Idle --close--> Closed           Reading --a chunk--> Reading
//! ```
//!
//! Any other event leads to `Closed`, and the next event meets a new connection. There is no input and
//! no output: the events are an array, and all that a handler does is to add to a counter.

mod by_hand;
mod event;
mod ours;
mod rust_fsm;
mod smlang;
mod statig;

use crate::figure::Peer;

pub(crate) use self::event::{EVENTS, Event, Tally};

/// All ways to write it.
pub(crate) const PEERS: [Peer; 5] =
    [Peer::Ours, Peer::HandMatch, Peer::Smlang, Peer::Statig, Peer::RustFsm];

/// Gives the [`EVENTS`] to the machine as often as that; `None` for a peer that has none.
pub(crate) fn run(peer: Peer, rounds: u64) -> Option<Tally> {
    let events = event::sequence();
    Some(match peer {
        Peer::Ours => ours::run(&events, rounds),
        Peer::HandMatch => by_hand::run(&events, rounds),
        Peer::Smlang => smlang::run(&events, rounds),
        Peer::Statig => statig::run(&events, rounds),
        Peer::RustFsm => rust_fsm::run(&events, rounds),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_do_the_same() {
        let events = event::sequence();
        let by_hand = run(Peer::HandMatch, 3).unwrap();
        let closes = events.iter().filter(|event| **event == Event::Close).count();
        assert_eq!(by_hand.closed, 3 * closes as u64);
        assert!(closes > EVENTS / 100 && by_hand.sum > 3 * EVENTS as u64, "{by_hand:?}");
        for peer in PEERS {
            assert_eq!(run(peer, 3), Some(by_hand), "{peer:?}");
        }
    }
}

//! One connection machine, in each way to write it: three live states and an end.
//!
//! ```text
//!   Idle --request of n chunks--> Reading --the last chunk--> Writing --flushed--> Idle
//!   Idle --close--> Closed        Reading --a chunk--> Reading
//! ```
//!
//! Any other event leads to `Closed`, and the next event meets a new connection. There is no input and
//! no output: all that a handler does is to add to a counter.
//!
//! The events come as an array of what the machine takes, which was made before, or as the two bytes
//! that each has on the wire. A generated machine takes bytes, so that it has only the second form.

mod by_hand;
mod event;
mod ours;
mod rust_fsm;
mod smlang;
mod statig;

use crate::Peer;

use self::event::Wire;
pub(crate) use self::event::{EVENTS, Event, Tally};

/// All ways to write it.
pub(crate) const PEERS: [Peer; 5] =
    [Peer::Ours, Peer::HandMatch, Peer::Smlang, Peer::Statig, Peer::RustFsm];

/// How the events come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    Array,
    Wire,
}

/// Gives the [`EVENTS`] to the machine as often as that; `None` for a peer that has none.
pub(crate) fn run(peer: Peer, form: Form, rounds: u64) -> Option<Tally> {
    let events = event::sequence();
    let wire: Vec<Wire> = events.iter().map(|event| event.encoded()).collect();
    Some(match (peer, form) {
        (Peer::Ours, _) => ours::run(&wire, rounds),
        (Peer::HandMatch, Form::Array) => by_hand::run(&events, rounds),
        (Peer::HandMatch, Form::Wire) => by_hand::run_wire(&wire, rounds),
        (Peer::Smlang, Form::Array) => smlang::run(&events, rounds),
        (Peer::Smlang, Form::Wire) => smlang::run_wire(&wire, rounds),
        (Peer::Statig, Form::Array) => statig::run(&events, rounds),
        (Peer::Statig, Form::Wire) => statig::run_wire(&wire, rounds),
        (Peer::RustFsm, Form::Array) => rust_fsm::run(&events, rounds),
        (Peer::RustFsm, Form::Wire) => rust_fsm::run_wire(&wire, rounds),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_do_the_same() {
        let events = event::sequence();
        let closes = events.iter().filter(|event| **event == Event::Close).count();
        let by_hand = run(Peer::HandMatch, Form::Array, 3).unwrap();
        assert_eq!(by_hand.closed, 3 * closes as u64);
        assert_eq!(events.len() as u64, EVENTS);
        assert!(closes > events.len() / 100 && by_hand.sum > 3 * EVENTS, "{by_hand:?}");
        for peer in PEERS {
            for form in [Form::Array, Form::Wire] {
                assert_eq!(run(peer, form, 3), Some(by_hand), "{peer:?} {form:?}");
            }
        }
    }

    #[test]
    fn an_event_is_the_same_on_the_wire() {
        for event in event::sequence() {
            assert_eq!(Event::decoded(event.encoded()), event);
        }
    }
}

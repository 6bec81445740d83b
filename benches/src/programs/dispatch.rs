//! One connection machine in five implementations: three live states and an end state.
//!
//! ```text
//!   Idle --request of n chunks--> Reading --the last chunk--> Writing --flushed--> Idle
//!   Idle --close--> Closed        Reading --a chunk--> Reading
//! ```
//!
//! Any other event leads to `Closed`, and the next event starts a new connection. There is neither
//! input nor output, because a handler only adds to a counter.
//!
//! An event is either a value that was decoded beforehand, or two encoded bytes. A generated machine
//! reads bytes, so it runs in the second form only.

mod event;
mod hand_match;
mod ours;
mod rust_fsm;
mod smlang;
mod statig;

use self::event::Wire;
pub(crate) use self::event::{EVENTS, Tally};
use crate::peer::Peer;

/// The implementations.
pub(crate) const PEERS: [Peer; 5] =
    [Peer::Ours, Peer::HandMatch, Peer::Smlang, Peer::Statig, Peer::RustFsm];

/// The form of the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// Values that were decoded before the measurement.
    Array,
    /// Encoded events of two bytes.
    Wire,
}

/// Dispatches `rounds` times [`EVENTS`] events; `None` if the peer has no implementation.
pub(crate) fn run(peer: Peer, form: Form, rounds: u64) -> Option<Tally> {
    let events = event::sequence();
    let wire: Vec<Wire> = events.iter().map(|event| event.encoded()).collect();
    Some(match (peer, form) {
        (Peer::Ours, _) => ours::run(&wire, rounds),
        (Peer::HandMatch, Form::Array) => hand_match::run(&events, rounds),
        (Peer::HandMatch, Form::Wire) => hand_match::run_wire(&wire, rounds),
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
    use super::event::Event;
    use super::*;

    #[test]
    fn all_implementations_count_the_same() {
        let events = event::sequence();
        let closes = events.iter().filter(|event| **event == Event::Close).count();
        let expected = run(Peer::HandMatch, Form::Array, 3).unwrap();
        assert_eq!(expected.closed, 3 * closes as u64);
        assert_eq!(events.len() as u64, EVENTS);
        assert!(closes > events.len() / 100 && expected.sum > 3 * EVENTS, "{expected:?}");
        for peer in PEERS {
            for form in [Form::Array, Form::Wire] {
                assert_eq!(run(peer, form, 3), Some(expected), "{peer:?} {form:?}");
            }
        }
    }

    #[test]
    fn decoding_inverts_encoding() {
        for event in event::sequence() {
            assert_eq!(Event::decoded(event.encoded()), event);
        }
    }
}

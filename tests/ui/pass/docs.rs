//! Docs with code, attributes and markup, on everything.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

/// Sends back whatever comes.
///
/// ```
/// let code = "tested where it is";
/// ```
///
/// | a | b |
/// |---|---|
/// | 1 | 2 |
#[doc = "More."]
#[state_machine(start = Talk, eof => Gone)]
pub enum Echo {
    /// Waits.
    ///
    /// ```
    /// assert!(true);
    /// ```
    #[doc = "For `<bytes>`."]
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk | Count)]
    Talk,
    /** A block. */
    #[run]
    #[to(Talk)]
    Count {
        /// How many.
        count: u8,
    },
    #[end]
    Gone,
}

pub struct Client;

impl echo::Handler for Client {
    fn talk(&mut self, bytes: &[u8], _: &mut Cx<'_>) -> echo::AfterTalk {
        if bytes.len() > 1 { echo::AfterTalk::Talk } else { echo::AfterTalk::Count { count: 1 } }
    }

    fn count(&mut self, _: &mut u8, _: &mut Cx<'_>) -> echo::AfterCount {
        echo::AfterCount::Talk
    }
}

fn main() {
    let mut session = Session::<Echo, _>::new(Client);
    session.send(b"x");
    assert_eq!(session.state(), Some("Talk"));
    assert!(Echo::SPEC.docs.starts_with("Sends back"));
    assert!(Echo::SPEC.states[0].docs.ends_with("For `<bytes>`."));
}

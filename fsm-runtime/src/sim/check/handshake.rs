use std::fmt;
use std::time::Duration;

use super::run::Run;
use crate::spec::Features;
use crate::{Connection, Drive, Machine, Trigger};

/// The part of a run in which a `#[tls]` state waits for its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SimulatedHandshake {
    /// The bytes of the input before it. Those behind it come when it is over.
    pub(super) at: usize,
    pub(super) end: HandshakeEnd,
}

/// The end of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HandshakeEnd {
    Succeeds,
    Fails,
    /// The peer ends its stream.
    CutOff,
    /// Nothing comes until the deadline.
    Stalls,
}

impl fmt::Display for HandshakeEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Succeeds => "succeeds",
            Self::Fails => "fails",
            Self::CutOff => "is cut off",
            Self::Stalls => "stalls",
        })
    }
}

impl SimulatedHandshake {
    /// All ends of the handshake that a machine begins on this input; none if it begins none.
    pub(super) fn all<M: Drive<H> + Machine<Seed = (), Kind = Connection>, H>(
        make: impl FnOnce() -> H,
        input: &[u8],
    ) -> Vec<Self> {
        use HandshakeEnd::{CutOff, Fails, Stalls, Succeeds};
        if !M::SPEC.uses(Features::TLS) {
            return Vec::new();
        }
        let mut run = Run::<M, H>::new(make(), input, None);
        let begins = (0..=input.len()).find(|at| {
            run.send_to(*at);
            run.is_handshaking()
        });
        let ends = [Succeeds, Fails, CutOff, Stalls];
        begins.into_iter().flat_map(|at| ends.map(|end| Self { at, end })).collect()
    }

    /// The input that comes at all: behind a handshake that does not succeed there is none.
    pub(super) fn input<'a>(&self, input: &'a [u8]) -> &'a [u8] {
        match self.end {
            HandshakeEnd::Succeeds => input,
            _ => &input[..self.at],
        }
    }
}

impl<M: Drive<H> + Machine<Seed = (), Kind = Connection>, H> Run<'_, M, H> {
    #[cfg_attr(not(feature = "tls"), expect(clippy::unused_self, reason = "no state begins TLS"))]
    fn is_handshaking(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.session.is_handshaking();
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Ends the handshake, if the machine has begun it.
    #[track_caller]
    pub(super) fn end_handshake(&mut self, end: HandshakeEnd) {
        if !self.is_handshaking() {
            return;
        }
        match end {
            HandshakeEnd::Stalls => self.session.pass(self.time_left()),
            // `finish` ends the stream.
            HandshakeEnd::CutOff => return,
            #[cfg(feature = "tls")]
            HandshakeEnd::Succeeds => self.session.decide_handshake(Ok(())),
            #[cfg(feature = "tls")]
            HandshakeEnd::Fails => {
                self.session.decide_handshake(Err(std::io::ErrorKind::InvalidData));
            }
            #[cfg(not(feature = "tls"))]
            HandshakeEnd::Succeeds | HandshakeEnd::Fails => {}
        }
        self.settle(false);
    }

    /// The longest time for which the state may wait.
    fn time_left(&self) -> Duration {
        let state = M::SPEC.states.iter().find(|state| Some(state.name) == self.session.state());
        let times =
            state.into_iter().flat_map(|state| state.edges).filter_map(|edge| match edge.on {
                Trigger::Within(time) | Trigger::Budget(time) => Some(time),
                _ => None,
            });
        times.min().unwrap_or_default()
    }
}

//! The grace of a drain for connections whose peers have not said anything yet.

use crate::Drive;
use crate::connection::scratch::ConnectionScratch;
use crate::connection::{ConnectionTask, Pending};
use crate::machine::deadlines::waits_since;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::spec::Features;

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Notes that the peer has connected by itself, and that its first bytes are to come.
    pub(crate) fn expect_first_bytes(&mut self) {
        if const { !M::SPEC.uses(Features::JOBS) } {
            self.state.set_unheard(true);
        }
    }

    /// Whether a drain still waits for the first bytes of the peer (X19). A peer that has just connected may have
    /// sent them already; to close now would fail a request that no other process ever sees.
    ///
    /// The time counts from the start of the connection, or from the drain if no deadline tells when that was, and
    /// is noted in what is `pending`.
    #[cold]
    pub(super) fn is_in_grace(
        &self,
        pending: &mut Pending<M>,
        scratch: &ConnectionScratch<M, H>,
    ) -> bool {
        if const { M::SPEC.uses(Features::JOBS) } || !self.state.is_unheard() {
            return false;
        }
        let now = scratch.context.now;
        if pending.first_by == u64::MAX {
            let settings = &scratch.environment.settings;
            let start = waits_since(&self.deadlines, |index| self.machine.timer(index, settings));
            pending.first_by = start.unwrap_or(now).saturating_add(scratch.limits.drain_grace);
        }
        pending.first_by > now
    }
}

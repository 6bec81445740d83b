//! The end of a connection, for whatever reason.

use std::io;

use crate::call::hand_off::{CarriedIo, DetachedConnection};
use crate::connection::ConnectionTask;
use crate::connection::scratch::{ConnectionScratch, Leaving};
use crate::machine::other::sealed::OtherEndSlot;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::panics::caught;
use crate::scheduler::task::TurnOutcome;
use crate::{Drive, Ended, Key};

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Ends a connection because somebody asked for it.
    #[cold]
    pub(super) fn end_as_asked(&mut self, scratch: &mut ConnectionScratch<M, H>) -> TurnOutcome {
        self.abort_if_unsent(scratch.output.len());
        scratch.output.discard();
        TurnOutcome::Ended(Ended::Closed)
    }

    /// Makes the close a reset if it loses output: the `unsent` bytes or pending ones.
    pub(super) fn abort_if_unsent(&mut self, unsent: usize) {
        if unsent > 0 || self.unsent() > 0 {
            self.socket.abort();
        }
    }

    #[cold]
    pub(super) fn drop_panicked(key: Key) {
        crate::log::error!(%key, machine = M::SPEC.name, "a handler panicked while it was dropped");
    }

    /// Ends a connection whose stream has failed.
    #[cold]
    pub(super) fn broken(
        error: &io::Error,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => Ended::Truncated,
            io::ErrorKind::InvalidData => S::FAILURE,
            _ => return Self::reset(scratch),
        };
        crate::log::debug!(%key, machine = M::SPEC.name, %error, "a connection ends: {why}");
        if let (Ended::TlsFailed | Ended::LayerFailed, Some(outgoing)) =
            (why, &scratch.environment.outgoing)
        {
            outgoing.layer_failed(key, error);
        }
        scratch.output.discard();
        TurnOutcome::Ended(why)
    }

    pub(super) fn reset(scratch: &mut ConnectionScratch<M, H>) -> TurnOutcome {
        scratch.output.discard();
        TurnOutcome::Ended(Ended::Reset)
    }

    /// Ends the connection: counts it, tells the peers, and drops what it has.
    pub(super) fn end(mut self, key: Key, why: Ended, scratch: &mut ConnectionScratch<M, H>) {
        #[cfg(all(feature = "pool", unix))]
        if const { M::SPEC.moves } && why == Ended::Moved {
            return self.depart(key, scratch);
        }
        // Counts before the peer can see the end.
        scratch.counters.ended(why);
        scratch.environment.forget(key);
        let leaving = scratch.leaving.take();
        if let Some(other) = self.other.get() {
            // Its peer must not take what it has got for the whole.
            let is_whole =
                matches!(why, Ended::Done | Ended::Drained | Ended::Shed | Ended::HandedOff);
            other.close(!is_whole || other.output.len() > 0);
        }
        if leaving.is_none() {
            self.abort_if_unsent(0);
        }
        let closed =
            !Self::HAS_MAILBOX || caught(|| scratch.environment.mailboxes.close(key)).is_some();
        let Self { socket, state, handler, machine, pending, .. } = self;
        let (mut moves, ends) = match &leaving {
            Some(_) => (Some(socket), None),
            None => (None, Some(socket)),
        };
        let dropped = caught(|| drop((handler, machine, pending))).is_some();
        // The socket may have a layer of the user's.
        let dropped = caught(|| drop(ends)).is_some() && dropped;
        if !closed || !dropped {
            Self::drop_panicked(key);
        }
        if let Some(Leaving { hand_off, input, output }) = leaving {
            let layer = moves.as_mut().and_then(Source::take_layer);
            let socket = moves.zip(scratch.registry.as_deref());
            let socket = socket.and_then(|(socket, registry)| socket.detach(registry));
            let (ended, shut) = (state.has_ended(), state.is_shut());
            let carried = CarriedIo { input, output, ended, shut };
            hand_off.complete(DetachedConnection { socket, layer, carried });
        }
        scratch.pool_state.released();
        if let Some(outgoing) = &scratch.environment.outgoing {
            if caught(|| outgoing.ended(key, scratch.context.now)).is_none() {
                crate::log::error!(%key, machine = M::SPEC.name, "a job panicked while it was dropped");
            }
        }
    }
}

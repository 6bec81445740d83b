//! The handler of a client.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use fsm_runtime::prelude::*;
use fsm_runtime::proxy::{self, Origin};

use super::{Ends, Forwarder, forward};
use crate::times::Times;

/// A client, and the targets that were tried for it.
pub(crate) struct Client {
    shared: Arc<Forwarder>,
    peer: Peer,
    ends: Ends,
    tried: Vec<usize>,
    /// When the tunnel began, until its end is logged.
    begun: Option<Instant>,
}

type Context<'a> = Cx<'a, NoMessage, Times>;

impl Client {
    pub(super) fn new(shared: &Arc<Forwarder>, peer: Peer) -> Self {
        let source = match peer {
            Peer::Tcp(address) => Some(address),
            _ => None,
        };
        let ends = Ends { source, destination: None };
        Self { shared: Arc::clone(shared), peer, ends, tried: Vec::new(), begun: None }
    }

    /// The next target, if there is one that was not tried.
    fn next(&mut self, cx: &Context<'_>) -> Option<Target> {
        let index = self.shared.targets.choose(&self.tried, cx.now());
        let Some(index) = index else {
            tracing::warn!(client = %self.name(), "no target takes the client");
            return None;
        };
        self.tried.push(index);
        Some(self.shared.targets.target(index).clone())
    }

    /// Leaves the current target alone, because it has failed.
    fn failed(&self, why: &dyn fmt::Display, cx: &Context<'_>) {
        let Some(index) = self.tried.last() else { return };
        if let Some(time) = self.shared.targets.failed(*index, cx.now()) {
            let target = self.shared.targets.target(*index);
            tracing::warn!(%target, %why, "the target is left alone for {time:.1?}");
        }
    }

    fn name(&self) -> String {
        self.ends.source.map_or_else(|| self.peer.to_string(), |source| source.to_string())
    }

    /// Logs the end of the tunnel, and what it says of the target.
    fn ended(&mut self, how: &str, moved: Moved, cx: &Context<'_>) {
        let (Some(begun), Some(index)) = (self.begun.take(), self.tried.last()) else { return };
        if moved.back > 0 {
            self.shared.targets.answered(*index);
        }
        let target = self.shared.targets.target(*index);
        let time = cx.now().saturating_duration_since(begun);
        let (client, Moved { out, back, .. }) = (self.name(), moved);
        tracing::info!(%client, %target, out, back, ?time, "{how}");
    }
}

impl Drop for Client {
    /// Logs a tunnel whose client has reset it, or which a drain has closed. Nobody knows its bytes then.
    fn drop(&mut self) {
        if let (Some(begun), Some(index)) = (self.begun, self.tried.last()) {
            let target = self.shared.targets.target(*index);
            tracing::info!(client = %self.name(), %target, time = ?begun.elapsed(), "the tunnel was cut");
        }
    }
}

impl forward::Handler for Client {
    fn hello(&mut self, cx: &mut Context<'_>) -> forward::AfterHello {
        if !self.shared.is_ready() {
            return forward::AfterHello::Starting;
        }
        if self.shared.accept_proxy {
            return forward::AfterHello::Header;
        }
        match self.next(cx) {
            Some(to) => forward::AfterHello::Dial { to },
            None => forward::AfterHello::Gone,
        }
    }

    fn starting(&mut self, _: &mut Context<'_>) -> forward::AfterStarting {
        forward::AfterStarting::Hello
    }

    fn header(&mut self, origin: Origin<'_>, cx: &mut Context<'_>) -> forward::AfterHeader {
        if let (Some(source), destination) = (origin.source(), origin.destination()) {
            self.ends = Ends { source: Some(source), destination };
        }
        match self.next(cx) {
            Some(to) => forward::AfterHeader::Dial { to },
            None => forward::AfterHeader::Gone,
        }
    }

    fn dial(&mut self, _: Connected, cx: &mut Context<'_>) -> forward::AfterDial {
        self.begun = Some(cx.now());
        if let Some(version) = self.shared.send_proxy {
            let mut header = Vec::new();
            // It has addresses of one family, which is all that could be wrong with it.
            if self.shared.header(version, self.ends).encode(&mut header).is_ok() {
                cx.other().write(&header);
            }
        }
        forward::AfterDial::Tunnel
    }

    fn late(&mut self, cx: &mut Context<'_>) -> forward::AfterLate {
        self.failed(&"it does not answer in time", cx);
        forward::AfterLate::Again
    }

    fn refused(&mut self, why: &mut io::Error, cx: &mut Context<'_>) -> forward::AfterRefused {
        self.failed(why, cx);
        forward::AfterRefused::Again
    }

    fn again(&mut self, cx: &mut Context<'_>) -> forward::AfterAgain {
        match self.next(cx) {
            Some(to) => forward::AfterAgain::Dial { to },
            None => forward::AfterAgain::Gone,
        }
    }

    fn tunnel(&mut self, moved: Moved, cx: &mut Context<'_>) -> forward::AfterTunnel {
        self.ended("both sides have ended", moved, cx);
        forward::AfterTunnel::Gone
    }

    fn quiet(&mut self, cx: &mut Context<'_>) -> forward::AfterQuiet {
        self.ended("the tunnel was quiet for too long", cx.moved(), cx);
        forward::AfterQuiet::Gone
    }

    fn half_closed(&mut self, cx: &mut Context<'_>) -> forward::AfterHalfClosed {
        self.ended("one side has ended, and the other one was quiet", cx.moved(), cx);
        forward::AfterHalfClosed::Gone
    }

    fn broken(&mut self, cx: &mut Context<'_>) -> forward::AfterBroken {
        let moved = cx.moved();
        // Bytes that the client has sent may be the reason for a later end.
        if moved.out == 0 && moved.back == 0 {
            self.failed(&"it has broken a connection on which nothing was sent", cx);
        }
        self.ended("the target has broken the connection", moved, cx);
        forward::AfterBroken::Gone
    }

    fn no_header(&mut self, why: &mut proxy::Error, _: &mut Context<'_>) -> forward::AfterNoHeader {
        tracing::warn!(client = %self.name(), %why, "no PROXY header");
        forward::AfterNoHeader::Gone
    }
}

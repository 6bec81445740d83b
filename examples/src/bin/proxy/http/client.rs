//! A client.

use std::sync::Arc;
use std::time::Instant;

use fsm_examples::http::Refusal;
use fsm_runtime::prelude::*;

use super::answer::FIRST;
use super::current::{Current, Rest};
use super::machine::ProxyCx;
use super::page::{UNANSWERED, UNREADABLE, page};
use crate::targets::Targets;

mod handlers;

/// A client and the request that is being served.
pub(crate) struct Client {
    peer: Peer,
    targets: Arc<Targets>,
    /// The number of the target that the client uses.
    index: Option<usize>,
    /// There from the head of a request to the end of its answer.
    current: Option<Box<Current>>,
}

impl Client {
    pub(crate) fn new(peer: Peer, targets: Arc<Targets>) -> Self {
        Self { peer, targets, index: None, current: None }
    }

    /// The target that the client uses, or the next one if that has failed.
    fn target(&mut self, now: Instant) -> Option<Target> {
        let kept = self.index.filter(|index| !self.targets.is_alone(*index, now));
        self.index = kept.or_else(|| self.targets.choose(&[], now));
        self.index.map(|index| self.targets.target(index).clone())
    }

    /// Sends an answer of the proxy itself; returns whether the client may send another request.
    fn refuse(&mut self, refusal: Refusal, may_go_on: bool, cx: &mut ProxyCx<'_>) -> bool {
        let current = self.current.take();
        let goes_on = may_go_on
            && !cx.draining()
            && current.as_ref().is_some_and(|current| current.keep_alive && !current.is_unread);
        let line = current.as_ref().map_or(&b"-"[..], |current| &current.line);
        let status = refusal.status.code();
        let (client, request) = (&self.peer, line.escape_ascii());
        tracing::info!(%client, %request, status, why = refusal.why, "refused");
        let is_head = current.is_some_and(|current| current.is_head);
        cx.write(&page(&refusal, is_head, goes_on, cx.wall()));
        goes_on
    }

    /// Turns to the next target, or refuses the request if each was tried.
    fn miss(&mut self, refusal: Refusal, cx: &mut ProxyCx<'_>) -> Result<Target, bool> {
        if let (Some(current), Some(index)) = (&mut self.current, self.index) {
            if let Some(time) = self.targets.failed(index, cx.now()) {
                let target = self.targets.target(index);
                cx.warn(format_args!("no connection to {target}; it is left alone for {time:.1?}"));
            }
            current.tried.push(index);
            if let Some(next) = self.targets.choose(&current.tried, cx.now()) {
                self.index = Some(next);
                return Ok(self.targets.target(next).clone());
            }
        }
        Err(self.refuse(refusal, true, cx))
    }

    fn is_read(&mut self) {
        if let Some(current) = &mut self.current {
            current.is_unread = false;
        }
    }

    /// Notes the rest of the body when the target begins to answer before that has passed.
    fn interrupted(&mut self, byte: [u8; 1], rest: Rest) -> Result<(), Refusal> {
        let current = self.current.as_mut().ok_or(UNANSWERED)?;
        current.rest = Some(rest);
        if byte == [FIRST] { Ok(()) } else { Err(UNREADABLE) }
    }

    fn sends_chunks(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.chunks_back)
    }
}

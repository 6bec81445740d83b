//! The request that is being served.

use std::time::Instant;

use fsm_examples::http::{Framing, Refusal, Version};

use super::answer::Answer;
use super::forward::{Onward, Sender, answer_head, request_head};
use super::machine::{ProxyCx, exchange};
use super::page::UNREADABLE;
use super::request::Request;

/// The most interim answers to one request, each of which starts the time for the next one.
const MAX_INTERIMS: u8 = 16;

/// The facts about a request that its answer depends on.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Current {
    /// The method and the target of the request, for the log.
    pub(crate) line: Vec<u8>,
    /// When the head was complete.
    pub(crate) begun: Instant,
    /// The part of the body that goes on after an answer that another one follows.
    pub(crate) rest: Option<Rest>,
    /// The head for the target, until an answer has begun.
    pub(crate) head: Vec<u8>,
    pub(crate) framing: Framing,
    pub(crate) version: Version,
    pub(crate) is_head: bool,
    pub(crate) expects_continue: bool,
    pub(crate) keep_alive: bool,
    pub(crate) is_repeatable: bool,
    /// The body, or a part of it, is still to be read from the client.
    pub(crate) is_unread: bool,
    /// The connection is one that has served another request.
    pub(crate) reused: bool,
    pub(crate) repeated: bool,
    /// The number of interim answers.
    pub(crate) interims: u8,
    /// The numbers of the targets that could not be connected.
    pub(crate) tried: Vec<usize>,
    /// The client gets the chunks of the answer as chunks.
    pub(crate) chunks_back: bool,
    /// The target ends its stream after this answer.
    pub(crate) target_closes: bool,
}

/// The part of a body that was still to come when its target began to answer.
#[derive(Clone, Copy)]
pub(crate) enum Rest {
    Sized(u64),
    ChunkSize,
    Chunk(u64),
}

impl Current {
    pub(crate) fn new(request: &Request<'_>, client: Sender, now: Instant) -> Self {
        Self {
            line: [request.method, b" ", &request.target].concat(),
            begun: now,
            rest: None,
            head: request_head(request, client),
            framing: request.framing,
            version: request.version,
            is_head: request.method == b"HEAD",
            expects_continue: request.expects_continue,
            keep_alive: request.keep_alive,
            is_repeatable: request.is_repeatable(),
            is_unread: !request.framing.is_empty(),
            reused: false,
            repeated: false,
            interims: 0,
            tried: Vec::new(),
            chunks_back: false,
            target_closes: false,
        }
    }

    /// Passes on an answer that another one follows.
    pub(crate) fn interim(
        &mut self,
        answer: &Answer<'_>,
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterAnswer, Refusal> {
        if answer.status == 101 {
            // `Upgrade` was removed, so nobody has asked for it.
            return Err(UNREADABLE);
        }
        self.interims += 1;
        if self.interims > MAX_INTERIMS {
            return Err(UNREADABLE);
        }
        // The head is not sent again, because the target has it.
        self.is_repeatable = false;
        if self.version == Version::Http11 {
            let onward = Onward { framing: Framing::None, connection: None };
            cx.write(&answer_head(answer, onward));
        }
        match self.rest.take() {
            Some(Rest::Sized(left)) => return Ok(exchange::AfterAnswer::Sized { left }),
            Some(Rest::ChunkSize) => return Ok(exchange::AfterAnswer::ChunkSize),
            Some(Rest::Chunk(left)) => return Ok(exchange::AfterAnswer::Chunk { left }),
            None => {}
        }
        Ok(match (self.expects_continue, answer.status) {
            (true, 100) => exchange::AfterAnswer::Body,
            (true, _) if self.is_unread => exchange::AfterAnswer::Permission,
            _ => exchange::AfterAnswer::First,
        })
    }

    /// Decides how the answer reaches the client, and whether another request may follow it.
    pub(crate) fn onward(&mut self, answer: &Answer<'_>, draining: bool) -> Onward {
        let bodiless = answer.is_bodiless(self.is_head);
        let is_old = self.version == Version::Http10;
        let framing = match answer.framing {
            _ if answer.status == 204 => Framing::None,
            Framing::Chunked if bodiless || is_old => Framing::None,
            framing => framing,
        };
        self.chunks_back = framing == Framing::Chunked;
        self.target_closes = !answer.keep_alive;
        self.keep_alive &= !draining && !self.is_unread && (bodiless || framing != Framing::None);
        let connection = match (self.keep_alive, is_old) {
            (false, _) => Some("close"),
            (true, true) => Some("keep-alive"),
            (true, false) => None,
        };
        Onward { framing, connection }
    }
}

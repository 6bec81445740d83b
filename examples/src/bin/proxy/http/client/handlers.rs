//! The handlers of a client.

use fsm_examples::http::chunk::{self, ChunkSize, ChunkSizesError, Trailers};
use fsm_examples::http::{Framing, Refusal, Status};
use fsm_runtime::prelude::*;

use super::Client;
use crate::http::answer::{Answer, BadAnswer, FIRST};
use crate::http::current::{Current, Rest};
use crate::http::fields::trailer_passes;
use crate::http::forward::{Sender, answer_head};
use crate::http::machine::{ProxyCx, exchange};
use crate::http::page::{SHUNNED, SILENT, UNANSWERED, UNREACHED, UNREADABLE};
use crate::http::request::Request;

/// The states after the end of an answer.
macro_rules! next {
    ($after:ident, $current:expr) => {
        match $current {
            Some(current) if !current.keep_alive => exchange::$after::Gone,
            Some(current) if current.target_closes => exchange::$after::Closing,
            Some(_) => exchange::$after::Head,
            None => exchange::$after::Gone,
        }
    };
}

impl exchange::Handler for Client {
    fn head(
        &mut self,
        request: Request<'_>,
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterHead, Refusal> {
        let scheme = if cx.tls().is_some() { "https" } else { "http" };
        let sender = Sender { peer: self.peer, scheme };
        self.current = Some(Box::new(Current::new(&request, sender, cx.now())));
        let to = self.target(cx.now()).ok_or(SHUNNED)?;
        Ok(exchange::AfterHead::Dial { to })
    }

    fn dial(
        &mut self,
        connected: Connected,
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterDial, Refusal> {
        let current = self.current.as_mut().ok_or(UNANSWERED)?;
        current.reused = connected.reused;
        cx.other().write(&current.head);
        Ok(if current.expects_continue {
            exchange::AfterDial::Permission
        } else {
            exchange::AfterDial::Body
        })
    }

    fn shunned(&mut self, cx: &mut ProxyCx<'_>) -> Result<exchange::AfterShunned, Refusal> {
        if let (Some(current), Some(index)) = (&mut self.current, self.index) {
            if std::mem::take(&mut current.reused) {
                current.repeated = true;
                let to = self.targets.target(index).clone();
                return Ok(exchange::AfterShunned::Dial { to });
            }
        }
        Ok(match self.miss(SHUNNED, cx) {
            Ok(to) => exchange::AfterShunned::Dial { to },
            Err(true) => exchange::AfterShunned::Head,
            Err(false) => exchange::AfterShunned::Gone,
        })
    }

    fn unreached(&mut self, cx: &mut ProxyCx<'_>) -> Result<exchange::AfterUnreached, Refusal> {
        Ok(match self.miss(UNREACHED, cx) {
            Ok(to) => exchange::AfterUnreached::Dial { to },
            Err(true) => exchange::AfterUnreached::Head,
            Err(false) => exchange::AfterUnreached::Gone,
        })
    }

    fn permission(
        &mut self,
        byte: &[u8; 1],
        _: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterPermission, Refusal> {
        if byte[0] == FIRST { Ok(exchange::AfterPermission::Answer) } else { Err(UNREADABLE) }
    }

    fn body(&mut self, _: &mut ProxyCx<'_>) -> Result<exchange::AfterBody, Refusal> {
        let current = self.current.as_mut().ok_or(UNANSWERED)?;
        // A later 100 is only passed on.
        current.expects_continue = false;
        Ok(match current.framing {
            Framing::Length(left) if left > 0 => exchange::AfterBody::Sized { left },
            Framing::Chunked => exchange::AfterBody::ChunkSize,
            _ => exchange::AfterBody::First,
        })
    }

    fn sized(
        &mut self,
        _: &mut u64,
        _: Moved,
        _: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterSized, Refusal> {
        self.is_read();
        Ok(exchange::AfterSized::First)
    }

    fn sized_other(
        &mut self,
        left: &mut u64,
        byte: &[u8; 1],
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterSized, Refusal> {
        let left = *left - cx.moved().out;
        if left == 0 {
            self.is_read();
        }
        self.interrupted(*byte, Rest::Sized(left))?;
        Ok(exchange::AfterSized::Answer)
    }

    fn chunk_size(
        &mut self,
        size: ChunkSize<'_>,
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterChunkSize, Refusal> {
        let left = size.checked()?;
        write!(cx.other(), "{left:x}\r\n");
        Ok(match left {
            0 => exchange::AfterChunkSize::Trailer { lines: Trailers::default() },
            left => exchange::AfterChunkSize::Chunk { left },
        })
    }

    fn chunk_size_other(
        &mut self,
        byte: &[u8; 1],
        _: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterChunkSize, Refusal> {
        self.interrupted(*byte, Rest::ChunkSize)?;
        Ok(exchange::AfterChunkSize::Answer)
    }

    fn chunk(
        &mut self,
        _: &mut u64,
        _: Moved,
        _: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterChunk, Refusal> {
        Ok(exchange::AfterChunk::ChunkEnd)
    }

    fn chunk_other(
        &mut self,
        left: &mut u64,
        byte: &[u8; 1],
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterChunk, Refusal> {
        self.interrupted(*byte, Rest::Chunk(*left - cx.moved().out))?;
        Ok(exchange::AfterChunk::Answer)
    }

    fn chunk_end(
        &mut self,
        bytes: &[u8; 2],
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterChunkEnd, Refusal> {
        chunk::end(*bytes)?;
        cx.other().write(bytes);
        Ok(exchange::AfterChunkEnd::ChunkSize)
    }

    fn trailer(
        &mut self,
        lines: &mut Trailers,
        line: &[u8],
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterTrailer, Refusal> {
        let line = chunk::line(line)?;
        if lines.is_last(line)? {
            self.is_read();
            cx.other().write(b"\r\n");
            return Ok(exchange::AfterTrailer::First);
        }
        if trailer_passes(line) {
            cx.other().write(&[line, b"\r\n"].concat());
        }
        Ok(exchange::AfterTrailer::Trailer)
    }

    fn first(
        &mut self,
        byte: &[u8; 1],
        _: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterFirst, Refusal> {
        if byte[0] == FIRST { Ok(exchange::AfterFirst::Answer) } else { Err(UNREADABLE) }
    }

    fn answer(
        &mut self,
        answer: Answer<'_>,
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterAnswer, Refusal> {
        let current = self.current.as_mut().ok_or(UNREADABLE)?;
        if answer.is_interim() {
            return current.interim(&answer, cx);
        }
        // The head is not sent again.
        current.head = Vec::new();
        if let Some(index) = self.index {
            self.targets.answered(index);
            let target = self.targets.target(index);
            let time = cx.now().saturating_duration_since(current.begun);
            let (client, request) = (&self.peer, current.line.escape_ascii());
            tracing::info!(%client, %request, %target, status = answer.status, ?time, "answered");
        }
        let onward = current.onward(&answer, cx.draining());
        cx.write(&answer_head(&answer, onward));
        let ends = match answer.framing {
            _ if answer.is_bodiless(current.is_head) => true,
            Framing::Length(left) if left > 0 => return Ok(exchange::AfterAnswer::Back { left }),
            Framing::Length(_) => true,
            Framing::Chunked => return Ok(exchange::AfterAnswer::BackSize),
            Framing::None => false,
        };
        Ok(if ends {
            next!(AfterAnswer, self.current.take())
        } else {
            exchange::AfterAnswer::BackAll
        })
    }

    fn back(
        &mut self,
        _: &mut u64,
        _: Moved,
        _: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterBack, Refusal> {
        Ok(next!(AfterBack, self.current.take()))
    }

    fn back_size(
        &mut self,
        size: ChunkSize<'_>,
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterBackSize, Refusal> {
        let left = size.checked()?;
        if self.sends_chunks() {
            writeln!(cx, "{left:x}\r");
        }
        Ok(match left {
            0 => exchange::AfterBackSize::BackTrailer { lines: Trailers::default() },
            left => exchange::AfterBackSize::BackChunk { left },
        })
    }

    fn back_chunk(
        &mut self,
        _: &mut u64,
        _: Moved,
        _: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterBackChunk, Refusal> {
        Ok(exchange::AfterBackChunk::BackEnd)
    }

    fn back_end(
        &mut self,
        bytes: &[u8; 2],
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterBackEnd, Refusal> {
        chunk::end(*bytes)?;
        if self.sends_chunks() {
            cx.write(bytes);
        }
        Ok(exchange::AfterBackEnd::BackSize)
    }

    fn back_trailer(
        &mut self,
        lines: &mut Trailers,
        line: &[u8],
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterBackTrailer, Refusal> {
        let line = chunk::line(line)?;
        let is_last = lines.is_last(line)?;
        if self.sends_chunks() && (is_last || trailer_passes(line)) {
            cx.write(&[line, b"\r\n"].concat());
        }
        Ok(if is_last {
            next!(AfterBackTrailer, self.current.take())
        } else {
            exchange::AfterBackTrailer::BackTrailer
        })
    }

    fn back_all(
        &mut self,
        _: Moved,
        _: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterBackAll, Refusal> {
        Ok(exchange::AfterBackAll::Gone)
    }

    fn closing(
        &mut self,
        _: &[u8; 1],
        _: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterClosing, Refusal> {
        Ok(exchange::AfterClosing::Gone)
    }

    fn no_answer(&mut self, cx: &mut ProxyCx<'_>) -> Result<exchange::AfterNoAnswer, Refusal> {
        let repeats =
            |current: &Current| current.reused && current.is_repeatable && !current.repeated;
        if self.current.as_deref().is_some_and(repeats) {
            return Ok(exchange::AfterNoAnswer::Shunned);
        }
        self.refuse(UNANSWERED, false, cx);
        Ok(exchange::AfterNoAnswer::Gone)
    }

    fn silent(&mut self, cx: &mut ProxyCx<'_>) -> Result<exchange::AfterSilent, Refusal> {
        self.refuse(SILENT, false, cx);
        Ok(exchange::AfterSilent::Gone)
    }

    fn refuted(
        &mut self,
        why: &mut BadAnswer,
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterRefuted, Refusal> {
        cx.warn(*why);
        self.refuse(UNREADABLE, false, cx);
        Ok(exchange::AfterRefuted::Gone)
    }

    fn unreadable(&mut self, cx: &mut ProxyCx<'_>) -> Result<exchange::AfterUnreadable, Refusal> {
        self.refuse(UNREADABLE, false, cx);
        Ok(exchange::AfterUnreadable::Gone)
    }

    fn broken(&mut self, cx: &mut ProxyCx<'_>) -> Result<exchange::AfterBroken, Refusal> {
        cx.warn("an answer ends before its end");
        Ok(exchange::AfterBroken::Gone)
    }

    fn late_head(&mut self, cx: &mut ProxyCx<'_>) -> Result<exchange::AfterLateHead, Refusal> {
        self.refuse(
            Refusal::new(Status::RequestTimeout, "the request did not arrive in time"),
            false,
            cx,
        );
        Ok(exchange::AfterLateHead::Gone)
    }

    fn late_body(
        &mut self,
        byte: &[u8; 1],
        _: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterLateBody, Refusal> {
        if byte[0] == FIRST { Ok(exchange::AfterLateBody::Answer) } else { Err(UNREADABLE) }
    }

    fn no_body(&mut self, cx: &mut ProxyCx<'_>) -> Result<exchange::AfterNoBody, Refusal> {
        let refusal = if cx.other().queued() > 0 {
            SILENT
        } else {
            Refusal::new(Status::RequestTimeout, "the body did not arrive in time")
        };
        self.refuse(refusal, false, cx);
        Ok(exchange::AfterNoBody::Gone)
    }

    fn head_too_large(
        &mut self,
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterHeadTooLarge, Refusal> {
        self.refuse(Refusal::HEAD_TOO_LARGE, false, cx);
        Ok(exchange::AfterHeadTooLarge::Gone)
    }

    fn bad_size(
        &mut self,
        why: &mut ChunkSizesError,
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterBadSize, Refusal> {
        self.refuse((&*why).into(), false, cx);
        Ok(exchange::AfterBadSize::Gone)
    }

    fn long_line(&mut self, cx: &mut ProxyCx<'_>) -> Result<exchange::AfterLongLine, Refusal> {
        self.refuse(Refusal::LONG_CHUNK_LINE, false, cx);
        Ok(exchange::AfterLongLine::Gone)
    }

    fn refused(
        &mut self,
        refusal: &mut Refusal,
        cx: &mut ProxyCx<'_>,
    ) -> Result<exchange::AfterRefused, Refusal> {
        self.refuse(*refusal, false, cx);
        Ok(exchange::AfterRefused::Gone)
    }
}

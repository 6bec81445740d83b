//! The handlers of the front pool.

use std::sync::Arc;
use std::time::SystemTime;

use fsm_runtime::MovesHandler;

use crate::catalog::{Found, Lookup};
use crate::events;
use crate::front::{FrontCx, front};
use crate::http::chunk::{self, ChunkSize, ChunkSizesError, Trailers};
use crate::http::{
    CONTINUE, Condition, Exchange, Framing, Head, Method, Name, Range, Refusal, Response, Route,
    Status,
};
use crate::index::{Job, LOST, Outcome, Task};
use crate::page::PAGE;
use crate::server::Server;
use crate::store::Version;

mod answer;
mod upload;

pub(crate) use answer::Part;
pub(crate) use upload::Put;
use upload::TOO_LARGE;

/// A client, and the facts about its request that the answer depends on.
pub(crate) struct Client {
    server: Arc<Server>,
    exchange: Exchange,
    /// There while the client waits for the index pool; a job that has lost it is withdrawn.
    waiting: Option<Arc<()>>,
}

/// The facts about a request that the answer to a lookup depends on.
pub(crate) struct Get {
    method: Method,
    condition: Condition,
    range: Range,
    /// The document that is looked up, and may be kept in memory.
    keep: Option<(Name, Version)>,
}

impl Get {
    fn new(head: &Head<'_>, condition: Condition) -> Self {
        Self { method: head.method, condition, range: Range::of(head), keep: None }
    }
}

impl Client {
    pub(crate) fn new(server: &Arc<Server>) -> Self {
        Self { server: Arc::clone(server), exchange: Exchange::LAST, waiting: None }
    }

    /// A job whose reply this client waits for.
    fn job(&mut self, task: Task) -> Job {
        let waiting = Arc::new(());
        let client = Arc::downgrade(&waiting);
        self.waiting = Some(waiting);
        Job { task, client }
    }

    /// Has a document, a list or a search looked up.
    fn look_up(&self, lookup: Lookup, get: Get) -> front::AfterHead {
        let get = Box::new(get);
        if self.server.is_single_pool() {
            front::AfterHead::Working { task: Box::new(Task::Lookup { lookup, get }) }
        } else {
            front::AfterHead::Looking { job: lookup, get }
        }
    }
}

/// A client moves to a new process of the server between two requests, of which nothing is left.
impl MovesHandler for Client {
    fn pack(&self, _: &mut Vec<u8>) {}

    fn unpack(&mut self, _: &mut &[u8]) -> Option<()> {
        Some(())
    }
}

/// The state after an answer: `After..::Head` if the client may send another request.
macro_rules! next {
    ($after:ident, $goes_on:expr) => {
        if $goes_on { front::$after::Head } else { front::$after::Gone }
    };
}

impl front::Handler for Client {
    fn head(&mut self, head: Head<'_>, cx: &mut FrontCx<'_>) -> Result<front::AfterHead, Refusal> {
        self.exchange = head.exchange_unread();
        if let Some(port) = self.server.https_port.filter(|_| cx.tls().is_none()) {
            return Ok(next!(AfterHead, self.redirect(&head, port, cx)));
        }
        let route = match Route::find(&head) {
            Ok(route) => route,
            Err(refusal) => return Ok(next!(AfterHead, self.refuse(refusal, cx))),
        };
        let condition = match Condition::parse(&head) {
            Ok(condition) => condition,
            Err(refusal) => return Ok(next!(AfterHead, self.refuse(refusal, cx))),
        };
        let lookup = match route {
            Route::Page => {
                let page = Response::new(Status::Ok).page();
                return Ok(next!(AfterHead, self.answer(&page, PAGE.as_bytes(), cx)));
            }
            Route::Events if head.method == Method::Head => {
                // Writing to `cx` never fails.
                let _ = events::response().open(cx, SystemTime::now());
                return Ok(front::AfterHead::Gone);
            }
            Route::Events => return Ok(front::AfterHead::Subscribing { seed: () }),
            Route::Options(methods) => {
                let response = Response::new(Status::NoContent).with("Allow", methods);
                return Ok(next!(AfterHead, self.answer(&response, b"", cx)));
            }
            Route::Put(name) => {
                if matches!(head.framing, Framing::Length(len) if len > self.server.max_size) {
                    return Ok(next!(AfterHead, self.refuse(TOO_LARGE, cx)));
                }
                self.exchange = head.exchange();
                let put = Put::new(name, &head, condition, cx);
                return Ok(front::AfterHead::Begin { put: Box::new(put) });
            }
            Route::Delete(name) => {
                let task = Task::Delete { name, condition };
                return Ok(if self.server.is_single_pool() {
                    front::AfterHead::Working { task: Box::new(task) }
                } else {
                    front::AfterHead::Indexing { job: self.job(task) }
                });
            }
            Route::Get(name) => {
                let mut get = Get::new(&head, condition);
                if let Some(hot) = self.server.hot.find(&name, cx.now()) {
                    return Ok(next!(AfterHead, self.hot(&get, &hot, cx)));
                }
                get.keep = self.server.hot.version(&name).map(|version| (name.clone(), version));
                return Ok(self.look_up(Lookup::Find(name), get));
            }
            Route::List { after, limit } => Lookup::List { after, limit },
            Route::Search { query, limit } => Lookup::Search { query, limit },
        };
        Ok(self.look_up(lookup, Get::new(&head, condition)))
    }

    fn begin(
        &mut self,
        put: &mut Box<Put>,
        cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterBegin, Refusal> {
        put.begin(&self.server.directory, cx)?;
        if put.expects_continue {
            cx.write(CONTINUE);
        }
        Ok(match put.left {
            _ if put.is_chunked() => front::AfterBegin::ChunkSize,
            0 => front::AfterBegin::Whole,
            _ => front::AfterBegin::Sized,
        })
    }

    fn sized(
        &mut self,
        put: &mut Box<Put>,
        piece: &[u8],
        cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterSized, Refusal> {
        put.spool(piece, self.server.max_size, cx)?;
        Ok(match put.left {
            0 => front::AfterSized::Whole,
            _ if put.pace.is_complete() => front::AfterSized::Renewed,
            _ => front::AfterSized::Sized,
        })
    }

    fn chunk_size(
        &mut self,
        put: &mut Box<Put>,
        size: ChunkSize<'_>,
        _cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterChunkSize, Refusal> {
        put.begin_chunk(size.checked()?, self.server.max_size)?;
        Ok(match put.left {
            0 => front::AfterChunkSize::Trailer { lines: Trailers::default() },
            _ => front::AfterChunkSize::Chunk,
        })
    }

    fn chunk(
        &mut self,
        put: &mut Box<Put>,
        piece: &[u8],
        cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterChunk, Refusal> {
        put.spool(piece, self.server.max_size, cx)?;
        Ok(match put.left {
            0 => front::AfterChunk::ChunkEnd,
            _ if put.pace.is_complete() => front::AfterChunk::Renewed,
            _ => front::AfterChunk::Chunk,
        })
    }

    fn chunk_end(
        &mut self,
        put: &mut Box<Put>,
        bytes: &[u8; 2],
        _cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterChunkEnd, Refusal> {
        chunk::end(*bytes)?;
        Ok(if put.pace.is_complete() {
            front::AfterChunkEnd::Renewed
        } else {
            front::AfterChunkEnd::ChunkSize
        })
    }

    fn renewed(
        &mut self,
        put: &mut Box<Put>,
        cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterRenewed, Refusal> {
        put.renew(cx);
        Ok(match put.left {
            _ if !put.is_chunked() => front::AfterRenewed::Sized,
            0 => front::AfterRenewed::ChunkSize,
            _ => front::AfterRenewed::Chunk,
        })
    }

    fn trailer(
        &mut self,
        _put: &mut Box<Put>,
        lines: &mut Trailers,
        line: &[u8],
        _cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterTrailer, Refusal> {
        let is_last = lines.is_last(chunk::line(line)?)?;
        Ok(if is_last { front::AfterTrailer::Whole } else { front::AfterTrailer::Trailer })
    }

    fn whole(
        &mut self,
        put: &mut Box<Put>,
        _cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterWhole, Refusal> {
        let task = put.finish()?;
        Ok(if self.server.is_single_pool() {
            front::AfterWhole::Working { task: Box::new(task) }
        } else {
            front::AfterWhole::Indexing { job: self.job(task) }
        })
    }

    fn indexing(
        &mut self,
        done: Outcome,
        cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterIndexing, Refusal> {
        self.waiting = None;
        Ok(next!(AfterIndexing, self.indexed(done, cx)))
    }

    fn looking(
        &mut self,
        get: &mut Box<Get>,
        found: Found,
        cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterLooking, Refusal> {
        Ok(match self.found(&mut *get, found, cx) {
            Ok(part) => front::AfterLooking::Stream { part },
            Err(goes_on) => next!(AfterLooking, goes_on),
        })
    }

    fn stream(
        &mut self,
        part: &mut Part,
        cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterStream, Refusal> {
        // A document that is shorter than it was resets the connection, because the client has the head.
        let is_fast = part.send_ahead(cx);
        Ok(if part.is_sent() {
            next!(AfterStream, self.exchange.keep_alive)
        } else if is_fast {
            front::AfterStream::Fast
        } else {
            front::AfterStream::Stream
        })
    }

    fn fast(&mut self, part: &mut Part, cx: &mut FrontCx<'_>) -> Result<front::AfterFast, Refusal> {
        part.send_far_ahead(cx);
        Ok(if part.is_sent() {
            next!(AfterFast, self.exchange.keep_alive)
        } else {
            front::AfterFast::Fast
        })
    }

    fn working(
        &mut self,
        task: &mut Box<Task>,
        cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterWorking, Refusal> {
        let server = Arc::clone(&self.server);
        let Some(single_pool) = &server.single_pool else { return Err(LOST) };
        let task = std::mem::replace(&mut **task, Task::Nothing);
        Ok(match task {
            Task::Lookup { lookup, mut get } => {
                match self.found(&mut get, single_pool.look_up(lookup), cx) {
                    Ok(part) => front::AfterWorking::Stream { part },
                    Err(goes_on) => next!(AfterWorking, goes_on),
                }
            }
            task => next!(AfterWorking, self.indexed(single_pool.index(task), cx)),
        })
    }

    fn left(&mut self, cx: &mut FrontCx<'_>) -> Result<front::AfterLeft, Refusal> {
        self.waiting = None;
        let why =
            "the stream ended before the answer; the request is withdrawn if it had not begun";
        self.give_up(Refusal::bad(why), cx);
        Ok(front::AfterLeft::Gone)
    }

    fn late_head(&mut self, cx: &mut FrontCx<'_>) -> Result<front::AfterLateHead, Refusal> {
        self.exchange = Exchange::LAST;
        let why = "the request did not arrive in time";
        self.give_up(Refusal::new(Status::RequestTimeout, why), cx);
        Ok(front::AfterLateHead::Gone)
    }

    fn late_body(&mut self, cx: &mut FrontCx<'_>) -> Result<front::AfterLateBody, Refusal> {
        self.give_up(
            Refusal::new(Status::RequestTimeout, "the document did not arrive in time"),
            cx,
        );
        Ok(front::AfterLateBody::Gone)
    }

    fn head_too_large(
        &mut self,
        cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterHeadTooLarge, Refusal> {
        self.exchange = Exchange::LAST;
        self.give_up(Refusal::HEAD_TOO_LARGE, cx);
        Ok(front::AfterHeadTooLarge::Gone)
    }

    fn bad_size(
        &mut self,
        why: &mut ChunkSizesError,
        cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterBadSize, Refusal> {
        self.give_up((&*why).into(), cx);
        Ok(front::AfterBadSize::Gone)
    }

    fn long_line(&mut self, cx: &mut FrontCx<'_>) -> Result<front::AfterLongLine, Refusal> {
        self.give_up(Refusal::LONG_CHUNK_LINE, cx);
        Ok(front::AfterLongLine::Gone)
    }

    fn busy(&mut self, cx: &mut FrontCx<'_>) -> Result<front::AfterBusy, Refusal> {
        self.waiting = None;
        self.give_up(Refusal::new(Status::ServiceUnavailable, "the server is busy"), cx);
        Ok(front::AfterBusy::Gone)
    }

    fn refused(
        &mut self,
        refusal: &mut Refusal,
        cx: &mut FrontCx<'_>,
    ) -> Result<front::AfterRefused, Refusal> {
        // Without a readable head the server does not know which answer the client expects, and the
        // previous request does not tell it either.
        self.exchange = Exchange::LAST;
        self.give_up(*refusal, cx);
        Ok(front::AfterRefused::Gone)
    }
}

#[cfg(test)]
mod tests;

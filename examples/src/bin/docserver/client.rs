//! The handlers of the front pool.

use std::io::Read;
use std::sync::Arc;
use std::time::SystemTime;

use fsm_runtime::prelude::*;

use crate::api;
use crate::catalog::{Ask, Found};
use crate::front::front;
use crate::http::chunk::{self, Trailers};
use crate::http::{
    CONTINUE, Condition, Exchange, Framing, Head, Method, Name, Range, Refusal, Response, Route,
    Selection, Status, Validators, Verdict, media_type,
};
use crate::index::{Done, Task};
use crate::page::PAGE;
use crate::server::Server;
use crate::store::{Document, Filed, Spool};

/// The bytes that are read from a document at once.
const PIECE: usize = 64 * 1024;

/// A client, and what the answer to its request must know of it.
pub(crate) struct Client {
    server: Arc<Server>,
    exchange: Exchange,
}

/// A document that is being sent to us.
pub(crate) struct Put {
    name: Name,
    framing: Framing,
    expects_continue: bool,
    condition: Condition,
    /// `None` when it is whole, and others have it.
    spool: Option<Spool>,
}

/// What a client wants of what is looked up.
pub(crate) struct Get {
    method: Method,
    condition: Condition,
    range: Range,
}

impl Client {
    pub(crate) fn new(server: &Arc<Server>) -> Self {
        Self { server: Arc::clone(server), exchange: Exchange::LAST }
    }

    /// Sends an answer, and says whether the client may send another request.
    fn answer(&self, response: &Response, body: &[u8], cx: &mut Cx<'_>) -> bool {
        // Writing to `cx` never fails.
        let _ = response.send(cx, self.exchange, SystemTime::now(), body);
        self.exchange.keep_alive
    }

    fn refuse(&self, refusal: Refusal, cx: &mut Cx<'_>) -> bool {
        self.answer(&refusal.response(), &refusal.body(), cx)
    }

    /// The last answer on this connection.
    fn give_up(&mut self, refusal: Refusal, cx: &mut Cx<'_>) {
        self.exchange.keep_alive = false;
        self.refuse(refusal, cx);
    }

    fn spool(put: &mut Put, piece: &[u8], max: u64, cx: &mut Cx<'_>) -> Result<(), Refusal> {
        let Some(spool) = &mut put.spool else { return Ok(()) };
        if spool.len().saturating_add(piece.len() as u64) > max {
            return Err(TOO_LARGE);
        }
        // The system takes what is written into memory, until there is too much of it.
        let written = cx.blocking(|| spool.write(piece));
        written.map_err(|error| {
            cx.warn(&error);
            error.refusal()
        })
    }

    /// What the index pool has done.
    fn indexed(&self, done: Done, cx: &mut Cx<'_>) -> bool {
        match done {
            Done::Filed(Filed { document, replaced }) => {
                let status = if replaced.is_some() { Status::Ok } else { Status::Created };
                let response = Response::new(status).json();
                let response = response.with("ETag", format_args!("\"{}\"", document.digest));
                let replaced = replaced.is_some();
                let put = api::Put { document: document.into(), replaced };
                self.answer(&response, &put.to_json(), cx)
            }
            Done::Deleted => self.answer(&Response::new(Status::NoContent), b"", cx),
            Done::Refused(refusal) => self.refuse(refusal, cx),
        }
    }

    /// What the catalog pool has found. `Some` is what is left to send of a document.
    fn found(&self, get: &Get, found: Found, cx: &mut Cx<'_>) -> Result<Part, bool> {
        match found {
            Found::Json(json) => Err(self.answer(&Response::new(Status::Ok).json(), &json, cx)),
            Found::Refused(refusal) => Err(self.refuse(refusal, cx)),
            Found::Document(document, file) => self.document(get, &document, file, cx),
        }
    }

    fn document(
        &self,
        get: &Get,
        document: &Document,
        file: std::fs::File,
        cx: &mut Cx<'_>,
    ) -> Result<Part, bool> {
        let etag = document.digest.to_string();
        let validators = Validators { etag: &etag, modified: document.modified };
        match get.condition.verdict(get.method, Some(validators)) {
            Verdict::Proceed => {}
            Verdict::NotModified => {
                let response = Response::new(Status::NotModified);
                return Err(self.answer(&response.document(&etag, document.modified), b"", cx));
            }
            Verdict::Failed => return Err(self.refuse(PRECONDITION, cx)),
        }
        let selection = get.range.select(document.len, &etag);
        let (response, first, len) = match &selection {
            Selection::Whole => (Response::new(Status::Ok), 0, document.len),
            Selection::Part(part) => {
                let response = Response::new(Status::PartialContent);
                (response.with("Content-Range", part), part.first, part.len())
            }
            Selection::Unsatisfiable(range) => {
                let refusal = Refusal::new(Status::RangeNotSatisfiable, "nothing is there");
                let response = refusal.response().with("Content-Range", range);
                return Err(self.answer(&response, &refusal.body(), cx));
            }
        };
        // Behind the head of the answer there is no way to say what went wrong.
        if let Err(refusal) = seek(&file, first, cx) {
            return Err(self.refuse(refusal, cx));
        }
        let response = response.document(&etag, document.modified);
        let response = response.typed(media_type(&document.name));
        let _ = response.announce(cx, self.exchange, SystemTime::now(), len);
        if self.exchange.is_head || len == 0 {
            return Err(self.exchange.keep_alive);
        }
        Ok(Part { file, left: len })
    }
}

/// A part of a document that is to be sent: so much from where the file is read.
struct Part {
    file: std::fs::File,
    left: u64,
}

const TOO_LARGE: Refusal = Refusal::new(Status::ContentTooLarge, "the document is too large");
const PRECONDITION: Refusal =
    Refusal::new(Status::PreconditionFailed, "the document is not what it should be");

/// The state that follows an answer: `After..::Head` if the client may go on.
macro_rules! next {
    ($after:ident, $goes_on:expr) => {
        if $goes_on { front::$after::Head } else { front::$after::Gone }
    };
}

impl front::Handler for Client {
    fn head(&mut self, head: Head<'_>, cx: &mut Cx<'_>) -> Result<front::AfterHead, Refusal> {
        self.exchange = head.exchange_unread();
        let route = match Route::find(&head) {
            Ok(route) => route,
            Err(refusal) => return Ok(next!(AfterHead, self.refuse(refusal, cx))),
        };
        let condition = match Condition::parse(&head) {
            Ok(condition) => condition,
            Err(refusal) => return Ok(next!(AfterHead, self.refuse(refusal, cx))),
        };
        let ask = match route {
            Route::Page => {
                let page = Response::new(Status::Ok).page();
                return Ok(next!(AfterHead, self.answer(&page, PAGE.as_bytes(), cx)));
            }
            Route::Events => return Ok(front::AfterHead::Subscribing { seed: () }),
            Route::Put(name) => {
                if matches!(head.framing, Framing::Length(len) if len > self.server.max_size) {
                    return Ok(next!(AfterHead, self.refuse(TOO_LARGE, cx)));
                }
                self.exchange = head.exchange();
                let Head { framing, expects_continue, .. } = head;
                let put = Put { name, framing, expects_continue, condition, spool: None };
                return Ok(front::AfterHead::Begin { put: Box::new(put) });
            }
            Route::Delete(name) => {
                let job = Task::Delete { name, condition };
                return Ok(if self.server.single() {
                    front::AfterHead::Working { task: Box::new(job) }
                } else {
                    front::AfterHead::Indexing { job }
                });
            }
            Route::Get(name) => Ask::Find(name),
            Route::List { after, limit } => Ask::List { after, limit },
            Route::Search { query, limit } => Ask::Search { query, limit },
        };
        let get = Box::new(Get { method: head.method, condition, range: Range::of(&head) });
        Ok(if self.server.single() {
            front::AfterHead::Working { task: Box::new(Task::Ask { ask, get }) }
        } else {
            front::AfterHead::Looking { job: ask, get }
        })
    }

    fn begin(&mut self, put: &mut Box<Put>, cx: &mut Cx<'_>) -> Result<front::AfterBegin, Refusal> {
        let spool = cx.blocking(|| Spool::create(&self.server.directory));
        put.spool = Some(spool.map_err(|error| {
            cx.warn(&error);
            error.refusal()
        })?);
        if put.expects_continue {
            cx.write(CONTINUE);
        }
        Ok(match put.framing {
            Framing::None | Framing::Length(0) => front::AfterBegin::Whole,
            Framing::Length(left) => front::AfterBegin::Sized { left },
            Framing::Chunked => front::AfterBegin::ChunkSize,
        })
    }

    fn sized(
        &mut self,
        put: &mut Box<Put>,
        left: &mut u64,
        piece: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<front::AfterSized, Refusal> {
        Self::spool(put, piece, self.server.max_size, cx)?;
        *left -= piece.len() as u64;
        Ok(if *left == 0 { front::AfterSized::Whole } else { front::AfterSized::Sized })
    }

    fn chunk_size(
        &mut self,
        _put: &mut Box<Put>,
        line: &[u8],
        _cx: &mut Cx<'_>,
    ) -> Result<front::AfterChunkSize, Refusal> {
        Ok(match chunk::size(line)? {
            0 => front::AfterChunkSize::Trailer { lines: Trailers::default() },
            left => front::AfterChunkSize::Chunk { left },
        })
    }

    fn chunk(
        &mut self,
        put: &mut Box<Put>,
        left: &mut u64,
        piece: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<front::AfterChunk, Refusal> {
        Self::spool(put, piece, self.server.max_size, cx)?;
        *left -= piece.len() as u64;
        Ok(if *left == 0 { front::AfterChunk::ChunkEnd } else { front::AfterChunk::Chunk })
    }

    fn chunk_end(
        &mut self,
        _put: &mut Box<Put>,
        bytes: &[u8; 2],
        _cx: &mut Cx<'_>,
    ) -> Result<front::AfterChunkEnd, Refusal> {
        chunk::end(*bytes)?;
        Ok(front::AfterChunkEnd::ChunkSize)
    }

    fn trailer(
        &mut self,
        _put: &mut Box<Put>,
        lines: &mut Trailers,
        line: &[u8],
        _cx: &mut Cx<'_>,
    ) -> Result<front::AfterTrailer, Refusal> {
        let is_last = lines.is_last(line)?;
        Ok(if is_last { front::AfterTrailer::Whole } else { front::AfterTrailer::Trailer })
    }

    fn whole(
        &mut self,
        put: &mut Box<Put>,
        _cx: &mut Cx<'_>,
    ) -> Result<front::AfterWhole, Refusal> {
        let Some(spool) = put.spool.take() else { return Err(LOST) };
        let (name, condition) = (put.name.clone(), std::mem::take(&mut put.condition));
        let job = Task::File { name, condition, spooled: spool.finish() };
        Ok(if self.server.single() {
            front::AfterWhole::Working { task: Box::new(job) }
        } else {
            front::AfterWhole::Indexing { job }
        })
    }

    fn indexing(&mut self, done: Done, cx: &mut Cx<'_>) -> Result<front::AfterIndexing, Refusal> {
        Ok(next!(AfterIndexing, self.indexed(done, cx)))
    }

    fn looking(
        &mut self,
        get: &mut Box<Get>,
        found: Found,
        cx: &mut Cx<'_>,
    ) -> Result<front::AfterLooking, Refusal> {
        Ok(match self.found(get, found, cx) {
            Ok(Part { file, left }) => front::AfterLooking::Stream { file, left },
            Err(goes_on) => next!(AfterLooking, goes_on),
        })
    }

    fn stream(
        &mut self,
        file: &mut std::fs::File,
        left: &mut u64,
        cx: &mut Cx<'_>,
    ) -> Result<front::AfterStream, Refusal> {
        let len = usize::try_from(*left).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; len];
        let read = cx.blocking(|| file.read(&mut piece));
        match read {
            Ok(len) if len > 0 => {
                piece.truncate(len);
                cx.send(piece);
                *left -= len as u64;
            }
            // The head has left, so that only the early end of the connection can tell of it.
            Ok(_) => {
                cx.warn("a document is shorter than it was");
                return Ok(front::AfterStream::Gone);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                cx.warn(error);
                return Ok(front::AfterStream::Gone);
            }
        }
        Ok(match *left {
            0 => next!(AfterStream, self.exchange.keep_alive),
            _ => front::AfterStream::Stream,
        })
    }

    fn working(
        &mut self,
        task: &mut Box<Task>,
        cx: &mut Cx<'_>,
    ) -> Result<front::AfterWorking, Refusal> {
        let Some(alone) = &self.server.alone else { return Err(LOST) };
        let task = std::mem::replace(&mut **task, Task::Nothing);
        Ok(match task {
            Task::Ask { ask, get } => match self.found(&get, alone.ask(ask), cx) {
                Ok(Part { file, left }) => front::AfterWorking::Stream { file, left },
                Err(goes_on) => next!(AfterWorking, goes_on),
            },
            task => next!(AfterWorking, self.indexed(alone.index(task), cx)),
        })
    }

    fn late_head(&mut self, cx: &mut Cx<'_>) -> Result<front::AfterLateHead, Refusal> {
        self.exchange = Exchange::LAST;
        if cx.unread() > 0 {
            self.give_up(Refusal::new(Status::RequestTimeout, "the request did not come"), cx);
        }
        Ok(front::AfterLateHead::Gone)
    }

    fn late_body(&mut self, cx: &mut Cx<'_>) -> Result<front::AfterLateBody, Refusal> {
        self.give_up(Refusal::new(Status::RequestTimeout, "the document did not come"), cx);
        Ok(front::AfterLateBody::Gone)
    }

    fn head_too_large(&mut self, cx: &mut Cx<'_>) -> Result<front::AfterHeadTooLarge, Refusal> {
        self.exchange = Exchange::LAST;
        self.give_up(Refusal::HEAD_TOO_LARGE, cx);
        Ok(front::AfterHeadTooLarge::Gone)
    }

    fn long_line(&mut self, cx: &mut Cx<'_>) -> Result<front::AfterLongLine, Refusal> {
        self.give_up(Refusal::bad("a line between two chunks is too long"), cx);
        Ok(front::AfterLongLine::Gone)
    }

    fn busy(&mut self, cx: &mut Cx<'_>) -> Result<front::AfterBusy, Refusal> {
        self.give_up(Refusal::new(Status::ServiceUnavailable, "the server is busy"), cx);
        Ok(front::AfterBusy::Gone)
    }

    fn refused(
        &mut self,
        refusal: &mut Refusal,
        cx: &mut Cx<'_>,
    ) -> Result<front::AfterRefused, Refusal> {
        // A head that could not be read says nothing of what the answer should be, and the request
        // before it says nothing either.
        self.exchange = Exchange::LAST;
        self.give_up(*refusal, cx);
        Ok(front::AfterRefused::Gone)
    }
}

const LOST: Refusal = Refusal::new(Status::InternalServerError, "the request was lost");

/// Goes to the first byte that is to be sent.
fn seek(mut file: &std::fs::File, first: u64, cx: &Cx<'_>) -> Result<(), Refusal> {
    use std::io::{Seek, SeekFrom};

    file.seek(SeekFrom::Start(first)).map(drop).map_err(|error| {
        cx.warn(error);
        Refusal::new(Status::InternalServerError, "the store failed")
    })
}

#[cfg(test)]
mod tests;

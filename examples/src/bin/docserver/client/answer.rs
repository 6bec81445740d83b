//! The answers of the front pool.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::{Client, Get};
use crate::api;
use crate::catalog::Found;
use crate::front::FrontCx;
use crate::hot::HotDocument;
use crate::http::{
    Head, Refusal, RefusalAnswer as _, Representation, Response, Selection, Status, Target, Verdict,
};
use crate::index::{Outcome, PRECONDITION};
use crate::store::{Document, Filed};

/// The most bytes of a document that leave with the head, in one write.
const SMALL: u64 = 64 * 1024;
/// The bytes of a document that are queued for a client, which take no memory: 64 KiB more than those below which `Stream`
/// queues the next ones.
const AHEAD: u64 = 320 * 1024;
/// The same for `Fast`. It is more than a turn sends (X4).
const FAR_AHEAD: u64 = (2048 + 64) * 1024;
/// The most bytes of a document that are copied behind the head, because that costs less than to send them apart.
const COPIED: usize = 4 * 1024;

impl Client {
    /// Sends an answer; returns whether the client may send another request.
    pub(super) fn answer(
        &mut self,
        response: &Response,
        body: &[u8],
        cx: &mut FrontCx<'_>,
    ) -> bool {
        self.close_if_draining(cx);
        // Writing to `cx` never fails.
        let _ = response.send(cx, self.exchange, SystemTime::now(), body);
        self.exchange.keep_alive
    }

    /// Makes the answer that begins the last one if the pool drains, because a client that always has
    /// another request on the way is never at rest.
    fn close_if_draining(&mut self, cx: &FrontCx<'_>) {
        self.exchange.keep_alive &= !cx.draining();
    }

    pub(super) fn refuse(&mut self, refusal: Refusal, cx: &mut FrontCx<'_>) -> bool {
        self.answer(&refusal.response(), &refusal.body(), cx)
    }

    /// Sends the client to the same place at the port where TLS is used.
    pub(super) fn redirect(&mut self, head: &Head<'_>, port: u16, cx: &mut FrontCx<'_>) -> bool {
        let Some(host) = head.host else {
            return self.refuse(Refusal::bad("the host is missing"), cx);
        };
        let host = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => host,
        };
        let Target { path, query } = head.target;
        let mark = if query.is_empty() { "" } else { "?" };
        let place = if port == 443 { String::new() } else { format!(":{port}") };
        let response = Response::new(Status::PermanentRedirect)
            .with("Location", format_args!("https://{host}{place}{path}{mark}{query}"));
        self.answer(&response, b"", cx)
    }

    /// Sends the last answer on this connection.
    pub(super) fn give_up(&mut self, refusal: Refusal, cx: &mut FrontCx<'_>) {
        self.exchange.keep_alive = false;
        self.refuse(refusal, cx);
    }

    /// Answers with the result of the index pool.
    pub(super) fn indexed(&mut self, done: Outcome, cx: &mut FrontCx<'_>) -> bool {
        match done {
            Outcome::Filed(Filed { document, replaced }) => {
                let status = if replaced.is_some() { Status::Ok } else { Status::Created };
                let response = Response::new(status).json();
                let response = response.with("ETag", format_args!("\"{}\"", document.digest));
                let replaced = replaced.is_some();
                let put = api::Put { document: document.into(), replaced };
                self.answer(&response, &put.to_json(), cx)
            }
            Outcome::Deleted => self.answer(&Response::new(Status::NoContent), b"", cx),
            Outcome::Refused(refusal) => self.refuse(refusal, cx),
        }
    }

    /// Answers with the result of the catalog pool. `Ok` is the part of the document that is still
    /// to be sent; `Err` says whether the client may send another request.
    pub(super) fn found(
        &mut self,
        get: &mut Get,
        found: Found,
        cx: &mut FrontCx<'_>,
    ) -> Result<Part, bool> {
        match found {
            Found::Json(json) => Err(self.answer(&Response::new(Status::Ok).json(), &json, cx)),
            Found::Refused(refusal) => Err(self.refuse(refusal, cx)),
            Found::Document(document, file) => self.document(get, &document, file, cx),
        }
    }

    /// Answers with a document that the catalog has found, and keeps a copy of a small one.
    fn document(
        &mut self,
        get: &mut Get,
        document: &Document,
        file: File,
        cx: &mut FrontCx<'_>,
    ) -> Result<Part, bool> {
        let etag = document.digest.to_string();
        let representation =
            Representation::new(&document.name, etag, document.modified, document.len);
        let selected = self.select(get, &representation, cx)?;
        let part = Part::new(file, selected.part.clone());
        if self.exchange.is_head || selected.len() > SMALL {
            self.announce(&selected, &representation, cx);
            return if self.exchange.is_head { Err(self.exchange.keep_alive) } else { Ok(part) };
        }
        // Before the head is sent, because after it no answer can report an error.
        let body = match cx.blocking(|| part.read()) {
            Ok(body) => Bytes::from(body),
            Err(error) => {
                cx.warn(error);
                let refusal = Refusal::new(Status::InternalServerError, "the store failed");
                return Err(self.refuse(refusal, cx));
            }
        };
        self.announce(&selected, &representation, cx);
        send_behind_head(&body, cx);
        if let Some((name, version)) = get.keep.take().filter(|_| selected.len() == document.len) {
            self.server.hot.keep(name, version, cx.now(), representation, body);
        }
        Err(self.exchange.keep_alive)
    }

    /// Answers with the copy of a document; returns whether the client may send another request.
    pub(super) fn hot(&mut self, get: &Get, hot: &HotDocument, cx: &mut FrontCx<'_>) -> bool {
        let selected = match self.select(get, &hot.representation, cx) {
            Ok(selected) => selected,
            Err(goes_on) => return goes_on,
        };
        self.announce(&selected, &hot.representation, cx);
        if !self.exchange.is_head {
            let at = |position| usize::try_from(position).unwrap_or(usize::MAX);
            let Range { start, end } = selected.part;
            send_behind_head(&hot.body.slice(at(start)..at(end)), cx);
        }
        self.exchange.keep_alive
    }

    /// Selects the bytes that a request asks for, or answers that there are none to be sent; `Err` says whether the
    /// client may send another request.
    fn select(
        &mut self,
        get: &Get,
        document: &Representation,
        cx: &mut FrontCx<'_>,
    ) -> Result<Selected, bool> {
        match get.condition.verdict(get.method, Some(document.validators())) {
            Verdict::Proceed => {}
            Verdict::NotModified => {
                let response = Response::new(Status::NotModified);
                self.announce(&Selected { response, part: 0..0 }, document, cx);
                return Err(self.exchange.keep_alive);
            }
            Verdict::Failed => return Err(self.refuse(PRECONDITION, cx)),
        }
        match &get.range.select(document.len, document.etag()) {
            Selection::Whole => {
                Ok(Selected { response: Response::new(Status::Ok), part: 0..document.len })
            }
            Selection::Part(part) => {
                let response = Response::new(Status::PartialContent).with("Content-Range", part);
                Ok(Selected { response, part: part.first..part.first + part.len() })
            }
            Selection::Unsatisfiable(range) => {
                let refusal = Refusal::new(
                    Status::RangeNotSatisfiable,
                    "the range lies behind the end of the document",
                );
                let response = refusal.response().with("Content-Range", range);
                Err(self.answer(&response, &refusal.body(), cx))
            }
        }
    }

    /// Sends the head of an answer with a document.
    fn announce(&mut self, selected: &Selected, document: &Representation, cx: &mut FrontCx<'_>) {
        self.close_if_draining(cx);
        let (exchange, now) = (self.exchange, SystemTime::now());
        // Writing to `cx` never fails.
        let _ = selected.response.announce(cx, exchange, now, document, selected.len());
    }
}

/// Sends the bytes of a document behind the head of the answer.
fn send_behind_head(body: &Bytes, cx: &mut FrontCx<'_>) {
    if body.len() <= COPIED {
        cx.write(body);
    } else {
        cx.send(body.clone());
    }
}

/// The bytes that a request asks for, and the beginning of the answer.
struct Selected {
    response: Response,
    part: Range<u64>,
}

impl Selected {
    fn len(&self) -> u64 {
        self.part.end - self.part.start
    }
}

/// The part of a document that is still to be sent.
pub(crate) struct Part {
    file: Arc<File>,
    rest: Range<u64>,
}

impl Part {
    fn new(file: File, rest: Range<u64>) -> Self {
        Self { file: Arc::new(file), rest }
    }

    /// Queues the next piece. Returns whether the client has taken all of the one before.
    pub(super) fn send_ahead(&mut self, cx: &mut FrontCx<'_>) -> bool {
        let is_fast = cx.queued() == 0;
        self.queue(AHEAD, cx);
        is_fast
    }

    /// Queues the next piece for a fast client. While some of the one before is left, both are one part of the file, so
    /// that the socket takes them in one system call.
    pub(super) fn send_far_ahead(&mut self, cx: &mut FrontCx<'_>) {
        self.queue(FAR_AHEAD, cx);
    }

    /// Queues so much that there are `ahead` bytes.
    fn queue(&mut self, ahead: u64, cx: &mut FrontCx<'_>) {
        let most = ahead.saturating_sub(cx.queued() as u64);
        let piece = self.rest.start..self.rest.end.min(self.rest.start.saturating_add(most));
        self.rest.start = piece.end;
        cx.send_file(Arc::clone(&self.file), piece);
    }

    pub(super) fn is_sent(&self) -> bool {
        self.rest.is_empty()
    }

    /// All of it, which is small.
    fn read(&self) -> io::Result<Vec<u8>> {
        let len = self.rest.end - self.rest.start;
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.rest.start))?;
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
        file.take(len).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == len { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

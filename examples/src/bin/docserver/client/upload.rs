//! A document that a client uploads.

use crate::front::FrontCx;
use crate::http::{Condition, Framing, Head, Name, Refusal, Status};
use crate::index::{LOST, Task};
use crate::pace::Pace;
use crate::store::{Directory, Spool};

/// A document that the client uploads.
pub(crate) struct Put {
    name: Name,
    framing: Framing,
    pub(super) expects_continue: bool,
    condition: Condition,
    /// The bytes that the current read may take: the rest of the document, or of a chunk.
    pub(crate) left: u64,
    pub(crate) pace: Pace,
    /// `None` before the upload starts, and after the index pool took the document.
    spool: Option<Spool>,
}

pub(super) const TOO_LARGE: Refusal =
    Refusal::new(Status::ContentTooLarge, "the document is too large");

impl Put {
    pub(super) fn new(name: Name, head: &Head<'_>, condition: Condition, cx: &FrontCx<'_>) -> Self {
        let Head { framing, expects_continue, .. } = *head;
        let left = match framing {
            Framing::Length(left) => left,
            Framing::None | Framing::Chunked => 0,
        };
        let pace = Pace::start(cx.now(), expected(framing, left), cx.settings());
        Self { name, framing, expects_continue, condition, left, pace, spool: None }
    }

    /// Whether the document comes in chunks.
    pub(super) fn is_chunked(&self) -> bool {
        self.framing == Framing::Chunked
    }

    /// Makes the file that takes the document.
    pub(super) fn begin(
        &mut self,
        directory: &Directory,
        cx: &mut FrontCx<'_>,
    ) -> Result<(), Refusal> {
        let spool = cx.blocking(|| Spool::create(directory));
        self.spool = Some(spool.map_err(|error| {
            cx.warn(&error);
            error.refusal()
        })?);
        Ok(())
    }

    /// Begins a chunk, unless the document would be too large with it.
    pub(super) fn begin_chunk(&mut self, size: u64, max: u64) -> Result<(), Refusal> {
        let Some(spool) = &self.spool else { return Err(LOST) };
        if spool.len().saturating_add(size) > max {
            return Err(TOO_LARGE);
        }
        self.left = size;
        Ok(())
    }

    /// Spools a piece.
    pub(super) fn spool(
        &mut self,
        piece: &[u8],
        max: u64,
        cx: &mut FrontCx<'_>,
    ) -> Result<(), Refusal> {
        self.left -= piece.len() as u64;
        let Some(spool) = &mut self.spool else { return Err(LOST) };
        if spool.len().saturating_add(piece.len() as u64) > max {
            return Err(TOO_LARGE);
        }
        // Usually the kernel only copies the bytes into memory; the call blocks when too many are
        // dirty.
        let written = cx.blocking(|| spool.write(piece));
        written.map_err(|error| {
            cx.warn(&error);
            error.refusal()
        })?;
        self.pace.receive(piece.len());
        Ok(())
    }

    /// Gives the client time for the next part.
    pub(super) fn renew(&mut self, cx: &FrontCx<'_>) {
        self.pace.renew(cx.now(), expected(self.framing, self.left), cx.settings());
    }

    /// The task of the index pool, once the document is complete.
    pub(super) fn finish(&mut self) -> Result<Task, Refusal> {
        let Some(spool) = self.spool.take() else { return Err(LOST) };
        let (name, condition) = (self.name.clone(), std::mem::take(&mut self.condition));
        Ok(Task::File { name, condition, spooled: spool.finish() })
    }
}

/// The bytes of a document that may still arrive, of which `left` are announced.
fn expected(framing: Framing, left: u64) -> u64 {
    match framing {
        Framing::Chunked => u64::MAX,
        Framing::None | Framing::Length(_) => left,
    }
}

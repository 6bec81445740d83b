//! The front pool: it speaks HTTP, spools what comes and streams out what was found. It never waits
//! for the disk's index, nor for anybody else: other pools do that.

use std::fs::File;

use fsm_runtime::prelude::*;

use crate::catalog::Catalog;
use crate::client::{Get, Put};
use crate::events::Events;
use crate::http::chunk::{MAX_LINE, Trailers};
use crate::http::{HeadCodec, Refusal};
use crate::index::{Index, Task};

/// A client that sends requests, one after another.
#[state_machine(
    start = Head, eof => Gone, gone => Busy,
    error = Refusal, error => Refused,
    Next = Head | Gone,
)]
pub(crate) enum Front {
    /// Waits for the head of the next request.
    #[read(frame = HeadCodec, max = 32KiB, limit => HeadTooLarge, idle = 60s => LateHead)]
    #[to(Next | Begin | Looking | Indexing | Subscribing | Working)]
    #[rest]
    Head,

    /// Tells the client to send its document.
    #[run]
    #[to(Sized | ChunkSize | Whole)]
    Begin { put: Box<Put> },

    /// Spools a document whose length is known, piece by piece.
    #[read(upto = left, max = 64KiB, idle = 30s => LateBody)]
    #[to(Sized | Whole)]
    Sized {
        #[carry]
        put: Box<Put>,
        left: u64,
    },

    /// Waits for the size of the next chunk.
    #[read(until = b"\r\n", max = MAX_LINE, limit => LongLine, idle = 30s => LateBody)]
    #[to(Chunk | Trailer)]
    ChunkSize {
        #[carry]
        put: Box<Put>,
    },

    /// Spools a chunk, piece by piece.
    #[read(upto = left, max = 64KiB, idle = 30s => LateBody)]
    #[to(Chunk | ChunkEnd)]
    Chunk {
        #[carry]
        put: Box<Put>,
        left: u64,
    },

    /// Waits for the end of the line behind a chunk.
    #[read(exact = 2, idle = 30s => LateBody)]
    #[to(ChunkSize)]
    ChunkEnd {
        #[carry]
        put: Box<Put>,
    },

    /// Skips the fields behind the last chunk.
    #[read(until = b"\r\n", max = MAX_LINE, limit => LongLine, idle = 30s => LateBody)]
    #[to(Trailer | Whole)]
    Trailer {
        #[carry]
        put: Box<Put>,
        lines: Trailers,
    },

    /// Has the whole document, and gives it to the index pool.
    #[run]
    #[to(Indexing | Working)]
    Whole {
        #[carry]
        put: Box<Put>,
    },

    /// The index pool has the document; waits for its answer.
    #[call(Index, within = 5min => Busy)]
    #[to(Next)]
    Indexing,

    /// The catalog pool looks something up.
    #[call(Catalog, within = 30s => Busy)]
    #[to(Next | Stream)]
    Looking { get: Box<Get> },

    /// Sends a document, as fast as the client takes it.
    #[writable(below = 128KiB, idle = 30s => Gone)]
    #[to(Stream | Next)]
    Stream { file: File, left: u64 },

    /// Leaves for the pool that tells of events.
    #[handoff(Events, within = 5s => Busy)]
    Subscribing,

    /// Does here what other pools are for, and keeps others waiting: only to compare.
    #[run]
    #[to(Next | Stream)]
    Working { task: Box<Task> },

    /// Cuts off a client that was too slow with a head, and says so if it had begun one.
    #[run]
    #[to(Gone)]
    LateHead,

    /// Says that the document did not come.
    #[run]
    #[to(Gone)]
    LateBody,

    /// Says that the head is too large.
    #[run]
    #[to(Gone)]
    HeadTooLarge,

    /// Says that a line of the body is too long.
    #[run]
    #[to(Gone)]
    LongLine,

    /// Says that another pool has no time, or is gone.
    #[run]
    #[to(Gone)]
    Busy,

    /// Says what is wrong with a request, so wrong that nobody knows where the next one starts.
    #[run(error => Gone)]
    #[to(Gone)]
    Refused {
        #[error]
        refusal: Refusal,
    },

    #[end]
    Gone,
}

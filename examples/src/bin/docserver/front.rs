//! The front pool: it speaks HTTP, spools uploads to disk and streams documents out. It leaves
//! lookups and the index to other pools, so that it never waits for them.

use fsm_runtime::prelude::*;

use crate::catalog::Catalog;
use crate::client::{Get, Part, Put};
use crate::events::Events;
use crate::http::chunk::{ChunkSizes, ChunkSizesError, MAX_LINE, Trailers};
use crate::http::{HeadCodec, Refusal};
use crate::index::{Index, Task};
use crate::settings::Settings;

/// The context of the handlers.
pub(crate) type FrontCx<'a> = Cx<'a, NoMessage, Settings>;

/// A client that sends one request after another.
#[state_machine(
    start = Head, settings = Settings, moves, eof => Gone, gone => Busy,
    error = Refusal, error => Refused, refused => Refused,
    Next = Head | Gone,
    Upload = Sized | ChunkSize | Chunk | ChunkEnd | Trailer,
    within(Upload) = put.pace.budget() <= 3d => LateBody,
)]
pub(crate) enum Front {
    /// Waits for the head of the next request. Closes the connection of a client that sends nothing.
    #[read(
        frame = HeadCodec, max = 32KiB, limit => HeadTooLarge,
        idle = settings.idle <= 1d => Gone,
        begun = settings.head_timeout <= 1d => LateHead,
    )]
    #[to(Next | Begin | Looking | Indexing | Subscribing | Working)]
    #[rest]
    Head,

    /// Creates the spool and tells the client to send the document.
    #[run]
    #[to(Sized | ChunkSize | Whole)]
    Begin { put: Box<Put> },

    /// Spools a document of known length.
    #[read(upto = put.left, max = 256KiB, idle = settings.stall <= 1d => LateBody)]
    #[to(Sized | Renewed | Whole)]
    Sized {
        #[carry]
        put: Box<Put>,
    },

    /// Waits for the size of the next chunk.
    #[read(frame = ChunkSizes, refused => BadSize, idle = settings.stall <= 1d => LateBody)]
    #[to(Chunk | Trailer)]
    ChunkSize {
        #[carry]
        put: Box<Put>,
    },

    /// Spools a chunk.
    #[read(upto = put.left, max = 256KiB, idle = settings.stall <= 1d => LateBody)]
    #[to(Chunk | ChunkEnd | Renewed)]
    Chunk {
        #[carry]
        put: Box<Put>,
    },

    /// Reads the line end after a chunk.
    #[read(exact = 2, idle = settings.stall <= 1d => LateBody)]
    #[to(ChunkSize | Renewed)]
    ChunkEnd {
        #[carry]
        put: Box<Put>,
    },

    /// Gives the client time for a further part of the document. The budget of an upload begins anew on the way
    /// through here, because this state is not in the group.
    #[run]
    #[to(Sized | Chunk | ChunkSize)]
    Renewed {
        #[carry]
        put: Box<Put>,
    },

    /// Skips the trailer fields after the last chunk.
    #[read(until = b"\n", max = MAX_LINE, limit => LongLine, idle = settings.stall <= 1d => LateBody)]
    #[to(Trailer | Whole)]
    Trailer {
        #[carry]
        put: Box<Put>,
        lines: Trailers,
    },

    /// Gives the complete document to the index pool.
    #[run]
    #[to(Indexing | Working)]
    Whole {
        #[carry]
        put: Box<Put>,
    },

    /// Waits for the reply of the index pool, unless the client leaves.
    #[call(Index, within = 5min => Busy, eof => Left)]
    #[to(Next)]
    Indexing,

    /// Withdraws the job of a client that has left. A client that only ended its stream hears so.
    #[run]
    #[to(Gone)]
    Left,

    /// Waits for the reply of the catalog pool.
    #[call(Catalog, within = 30s => Busy)]
    #[to(Next | Stream)]
    Looking { get: Box<Get> },

    /// Sends a large document as fast as the client reads it: a piece each time that it has taken 64 KiB.
    #[writable(below = 256KiB, idle = settings.stall <= 1d => Gone)]
    #[to(Stream | Fast | Next)]
    Stream { part: Part },

    /// Sends it to a client that has taken all that was queued at once. Its socket always finds as much as it can take.
    #[writable(below = 2MiB, idle = settings.stall <= 1d => Gone)]
    #[to(Fast | Next)]
    Fast {
        #[carry]
        part: Part,
    },

    /// Hands the connection over to the pool that sends events.
    #[handoff(Events, within = 5s => Busy)]
    Subscribing,

    /// With `--single-pool`: does the work of the other pools here, and holds up other clients, for
    /// comparison.
    #[run]
    #[to(Next | Stream)]
    Working { task: Box<Task> },

    /// Answers 408 because the rest of a head did not arrive in time.
    #[run]
    #[to(Gone)]
    LateHead,

    /// Answers 408 because the document did not arrive in time, or too slowly.
    #[run]
    #[to(Gone)]
    LateBody,

    /// Answers 431 because the head is too large.
    #[run]
    #[to(Gone)]
    HeadTooLarge,

    /// Answers 400 because the line before a chunk has no size.
    #[run]
    #[to(Gone)]
    BadSize {
        #[error]
        why: ChunkSizesError,
    },

    /// Answers 400 because a line between two chunks is too long.
    #[run]
    #[to(Gone)]
    LongLine,

    /// Answers 503 because another pool replied too late, is full, or is gone.
    #[run]
    #[to(Gone)]
    Busy,

    /// Answers a request that is malformed, and closes, because the next request has no known
    /// start.
    #[run(error => Gone)]
    #[to(Gone)]
    Refused {
        #[error]
        refusal: Refusal,
    },

    #[end]
    Gone,
}

//! The machine of a client.

use fsm_examples::http::Refusal;
use fsm_examples::http::chunk::{ChunkSizes, ChunkSizesError, MAX_LINE, Trailers};
use fsm_runtime::prelude::*;

use super::Settings;
use super::answer::{AnswerCodec, BadAnswer};
use super::request::RequestCodec;

/// The context of the handlers.
pub(crate) type ProxyCx<'a> = Cx<'a, NoMessage, Settings>;

/// A client that sends one request after another, and the target that answers them.
#[state_machine(
    start = Head, settings = Settings, eof => Gone,
    error = Refusal, error => Refused, refused => Refused,
    Next = Head | Closing | Gone,
)]
pub(crate) enum Exchange {
    /// Waits for the head of the next request.
    #[read(
        frame = RequestCodec, max = 32KiB, limit => HeadTooLarge,
        idle = settings.idle <= 1d => Gone,
        begun = settings.head <= 10min => LateHead,
    )]
    #[to(Dial)]
    #[rest]
    Head,

    /// Connects to a target, or uses the connection to it again, and sends the head.
    #[connect(within = settings.connect <= 10min => Unreached, refused => Shunned)]
    #[to(Permission | Body)]
    Dial,

    /// Turns to the next target after one that has refused. The pause bounds the rate of attempts.
    #[sleep(1ms)]
    #[to(Dial | Head | Gone)]
    Shunned,

    /// Turns to the next target after one that did not answer the attempt to connect.
    #[run]
    #[to(Dial | Head | Gone)]
    Unreached,

    /// Waits for the target's response before the body is passed on: 100, or an answer without the body.
    #[read(other, exact = 1, within = settings.expect <= 10min => Body, eof => NoAnswer)]
    #[to(Answer)]
    Permission,

    /// Begins to pass on the body, if there is one.
    #[run]
    #[to(Sized | ChunkSize | First)]
    Body,

    /// Passes on a body of known length, unless the target answers before it is through.
    #[relay(out, exact = left, max = 64KiB, idle = settings.stall <= 10min => NoBody, eof => Gone, gone => NoAnswer)]
    #[read(other, exact = 1, eof => NoAnswer)]
    #[to(First | Answer)]
    Sized { left: u64 },

    /// Waits for the size of the next chunk, or for an answer.
    #[read(frame = ChunkSizes, refused => BadSize, idle = settings.stall <= 10min => NoBody)]
    #[read(other, exact = 1, eof => NoAnswer)]
    #[to(Chunk | Trailer | Answer)]
    ChunkSize,

    /// Passes on a chunk, unless the target answers.
    #[relay(out, exact = left, max = 64KiB, idle = settings.stall <= 10min => NoBody, eof => Gone, gone => NoAnswer)]
    #[read(other, exact = 1, eof => NoAnswer)]
    #[to(ChunkEnd | Answer)]
    Chunk { left: u64 },

    /// Reads the line end after a chunk.
    #[read(exact = 2, idle = settings.stall <= 10min => LateBody)]
    #[to(ChunkSize)]
    ChunkEnd,

    /// Passes on the trailer fields after the last chunk.
    #[read(until = b"\n", max = MAX_LINE, limit => LongLine, idle = settings.stall <= 10min => LateBody)]
    #[to(Trailer | First)]
    Trailer { lines: Trailers },

    /// Waits for the first byte of an answer. Until then a request that is safe to repeat can be sent again.
    #[read(other, exact = 1, within = settings.answer <= 10min => Silent, eof => NoAnswer)]
    #[to(Answer)]
    First,

    /// Waits for the rest of the head of an answer.
    #[read(
        other, frame = AnswerCodec, max = 32KiB, within = settings.answer <= 10min => Silent,
        limit => Unreadable, refused => Refuted, eof => Unreadable,
    )]
    #[to(Permission | Body | Sized | ChunkSize | Chunk | First | Back | BackSize | BackAll | Next)]
    Answer,

    /// Passes back a body of known length.
    #[relay(back, exact = left, max = 64KiB, idle = settings.stall <= 10min => Broken, eof => Broken, gone => Broken)]
    #[to(Next)]
    Back { left: u64 },

    /// Waits for the size of the next chunk of an answer.
    #[read(other, frame = ChunkSizes, refused => Broken, error => Broken, idle = settings.stall <= 10min => Broken, eof => Broken)]
    #[to(BackChunk | BackTrailer)]
    BackSize,

    /// Passes back a chunk.
    #[relay(back, exact = left, max = 64KiB, idle = settings.stall <= 10min => Broken, eof => Broken, gone => Broken)]
    #[to(BackEnd)]
    BackChunk { left: u64 },

    /// Reads the line end after a chunk of an answer.
    #[read(other, exact = 2, error => Broken, idle = settings.stall <= 10min => Broken, eof => Broken)]
    #[to(BackSize)]
    BackEnd,

    /// Passes back the trailer fields after the last chunk.
    #[read(other, until = b"\n", max = MAX_LINE, limit => Broken, error => Broken, idle = settings.stall <= 10min => Broken, eof => Broken)]
    #[to(BackTrailer | Next)]
    BackTrailer { lines: Trailers },

    /// Passes back a body that ends with the target's stream.
    #[relay(back, max = 64KiB, idle = settings.stall <= 10min => Broken, gone => Broken)]
    #[to(Gone)]
    BackAll,

    /// Waits for the end that the target has announced, so that no request is sent on that connection.
    #[read(other, exact = 1, within = 1s => Gone, eof => Head)]
    #[to(Gone)]
    Closing,

    /// Decides what follows when a connection ends before the first byte of an answer.
    #[run]
    #[to(Shunned | Gone)]
    NoAnswer,

    /// Answers 504 because the target is silent.
    #[run]
    #[to(Gone)]
    Silent,

    /// Answers 502 because the head of the answer is malformed.
    #[run]
    #[to(Gone)]
    Refuted {
        #[error]
        why: BadAnswer,
    },

    /// Answers 502 because the head of the answer is too large, or incomplete.
    #[run]
    #[to(Gone)]
    Unreadable,

    /// Ends an answer that has begun and cannot be completed.
    #[run]
    #[to(Gone)]
    Broken,

    /// Answers 408 because the rest of a head did not arrive in time.
    #[run]
    #[to(Gone)]
    LateHead,

    /// Reads the answer of a target that waits for no more of a body which has stopped.
    #[read(other, exact = 1, within = 10ms => NoBody, eof => NoBody)]
    #[to(Answer)]
    LateBody,

    /// Answers 408 or 504 because a body has stopped.
    #[run]
    #[to(Gone)]
    NoBody,

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

    /// Refuses a request, and closes, because the next one has no known start.
    #[run(error => Gone)]
    #[to(Gone)]
    Refused {
        #[error]
        refusal: Refusal,
    },

    #[end]
    Gone,
}

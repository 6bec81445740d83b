//! A layer of the application's between the connections of a pool and their sockets.

use std::error::Error;

use crate::Target;

/// A layer of the application's between the connections of a pool and their sockets: another TLS library, Noise,
/// compression, framing. A value of it is the layer of one connection. Only with the feature `pool`, as
/// [`Builder::layer`](crate::Builder::layer).
///
/// It has no socket and no buffer of the connection's: bytes go in and come out. *Wire* is the stream below, which
/// the peer sees; *plain* is what handlers read and write. The pool reads and sends, keeps what the layer has not used
/// and what the socket has not taken, and bounds both.
///
/// This one sends its bytes in records of two bytes of length, as the peer's does:
///
/// ```
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::{Layer, LayerError, LayerInput};
///
/// struct Records;
///
/// impl Layer for Records {
///     fn input(
///         &mut self,
///         wire: &mut [u8],
///         plain: &mut [u8],
///         _reply: &mut Vec<u8>,
///     ) -> Result<LayerInput, LayerError> {
///         let [high, low, rest @ ..] = &*wire else { return Ok(LayerInput::MORE) };
///         let length = usize::from(u16::from_be_bytes([*high, *low]));
///         let Some(record) = rest.get(..length) else { return Ok(LayerInput::MORE) };
///         plain[..length].copy_from_slice(record);
///         Ok(LayerInput { used: 2 + length, plain: length, ended: false })
///     }
///
///     fn output(&mut self, plain: &[u8], wire: &mut Vec<u8>) -> Result<usize, LayerError> {
///         wire.extend(u16::try_from(plain.len())?.to_be_bytes());
///         wire.extend_from_slice(plain);
///         Ok(plain.len())
///     }
/// }
///
/// /// Sends back what comes.
/// #[state_machine(start = Talk, eof => Gone)]
/// enum Echo {
///     #[read(some, max = 16KiB, idle = 60s => Gone)]
///     #[to(Talk)]
///     #[rest]
///     Talk,
///     #[end]
///     Gone,
/// }
///
/// struct Client;
///
/// impl echo::Handler for Client {
///     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
///         cx.write(bytes);
///         echo::AfterTalk::Talk
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::io::{Read, Write};
///
/// let pool = Pool::builder::<Echo>("echo").layer(|_| Records).listen("127.0.0.1:0");
/// let pool = pool.handler(|_peer| Client).start()?;
/// let mut peer = std::net::TcpStream::connect(pool.addresses()[0].to_string())?;
/// peer.write_all(b"\0\x05hello")?;
/// let mut answer = [0; 7];
/// peer.read_exact(&mut answer)?;
/// assert_eq!(&answer, b"\0\x05hello");
/// # Ok(())
/// # }
/// ```
///
/// # Bounds
///
/// - `input` gets room for [`ROOM`](Self::ROOM) bytes of plaintext in each call, and is called again only when
///   the machine has taken what it has made, but for at most `ROOM` bytes that are kept for the next read. So a few
///   bytes that expand without end take time as if the peer sent that much, within the bounds and times of the machine,
///   and no more memory.
/// - What it does not use is kept and offered again with more behind it. A connection fails if a layer wants more than
///   [`RECORD`](Self::RECORD) bytes in one piece.
/// - It may append [`OUTPUT`](Self::OUTPUT) bytes to the wire in a call. A connection fails if it appends more.
/// - Output that waits to be sent holds further input up beyond 128 KiB. A peer that takes none of it is reset
///   after the [`send_timeout`](crate::Builder::send_timeout) of the pool.
/// - The handshake has the time of the machine's wait, and that same time of the pool at most. Up to `ROOM` bytes of
///   plaintext that come before it is over are kept for a machine that does not read.
///
/// # Failures
///
/// After an error the connection ends as [`Ended::LayerFailed`](crate::Ended::LayerFailed) and the layer is not called
/// again; what it has appended in the call that failed leaves before the end. A panic in a layer ends its connection
/// alone, as one in a handler does.
pub trait Layer: Send + 'static {
    /// The bytes of plaintext that [`input`](Self::input) has room for in each call: 64 KiB.
    const ROOM: usize = ROOM;
    /// The bytes of the wire that are kept for a layer that cannot use them yet: 68 KiB.
    const RECORD: usize = RECORD;
    /// The most bytes that one call may append to the wire: 256 KiB.
    const OUTPUT: usize = OUTPUT;

    /// Processes the bytes of `wire`, which the peer has sent, from the front. Writes plaintext to the front of
    /// `plain`, and appends to `reply` what the layer itself has to tell the peer, such as the next message of its
    /// handshake. Returns how many bytes it has used and written.
    ///
    /// It is called again with the bytes behind those that it has used until it uses none and writes none: that
    /// says that it needs more of the wire ([`LayerInput::MORE`]). A layer with buffers of its own may so use all of
    /// `wire` at once and give plaintext bit by bit. Bytes that it has used it may overwrite, so that it can decrypt in
    /// place.
    ///
    /// The first call has an empty `wire`, before anything is read: the side that speaks first writes its first
    /// message to `reply`.
    ///
    /// # Errors
    ///
    /// An error ends the connection.
    fn input(
        &mut self,
        wire: &mut [u8],
        plain: &mut [u8],
        reply: &mut Vec<u8>,
    ) -> Result<LayerInput, LayerError>;

    /// Appends to `wire` what the peer needs to read the first bytes of `plain`, and returns how many these are.
    /// `plain` has 1 to 16,384 bytes, and is offered again from the first byte that was not taken.
    ///
    /// It must take at least one byte. It is not called while the layer [is in a handshake](Self::is_handshaking).
    ///
    /// # Errors
    ///
    /// An error ends the connection.
    fn output(&mut self, plain: &[u8], wire: &mut Vec<u8>) -> Result<usize, LayerError>;

    /// Whether the layer has to read before it takes output. `false` by default.
    ///
    /// While it is `true` the pool reads for the layer also where the machine does not, and what handlers
    /// write waits. The handshake is part of the wait of the machine, whose deadline bounds it. A stream that ends
    /// meanwhile is cut off.
    fn is_handshaking(&self) -> bool {
        false
    }

    /// Says what an end of the stream below means at this point. [`Whole`](LayerEnd::Whole) by default: the
    /// plaintext ends, too, unless bytes are kept that the layer has not used, which is a [`Cut`](LayerEnd::Cut).
    fn end(&self) -> LayerEnd {
        LayerEnd::Whole
    }

    /// Appends to `wire` the end of our stream, if the layer has one. It is called once, when all output was taken, and
    /// not when the peer must not take what it has got for the whole.
    ///
    /// # Errors
    ///
    /// After an error the stream below ends without it.
    fn close(&mut self, wire: &mut Vec<u8>) -> Result<(), LayerError> {
        let _ = wire;
        Ok(())
    }
}

/// The error of a layer: any error, or a text.
pub type LayerError = Box<dyn Error + Send + Sync>;

/// The result of [`Layer::input`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerInput {
    /// The bytes of the wire that it has used, from the front.
    pub used: usize,
    /// The bytes of plaintext that it has written.
    pub plain: usize,
    /// The peer has ended its stream in the layer's own way, behind this plaintext. The machine has its `eof` then, and
    /// what follows on the wire is ignored.
    pub ended: bool,
}

impl LayerInput {
    /// Nothing was used and nothing was written: the layer needs more of the wire.
    pub const MORE: Self = Self { used: 0, plain: 0, ended: false };
}

/// The meaning of the end of the stream below for a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerEnd {
    /// The plaintext ends, too.
    Whole,
    /// The peer has not said that it ends, as it does in the layer's own way: somebody may have cut it off. In a
    /// `#[rest]` state with nothing unread that is a usual end; anywhere else the connection ends as
    /// [`Ended::Truncated`](crate::Ended::Truncated).
    Unsaid,
    /// It was cut off, in the middle of something: the connection ends as `Truncated` in any state.
    Cut,
}

/// The side of a connection that gets a layer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LayerSide<'a> {
    /// The pool has accepted the connection, or another pool or program has handed it over.
    Accepted,
    /// The pool has opened the connection to this target.
    Connected(&'a Target),
}

pub(crate) const ROOM: usize = 64 * 1024;
pub(crate) const RECORD: usize = 68 * 1024;
pub(crate) const OUTPUT: usize = 256 * 1024;

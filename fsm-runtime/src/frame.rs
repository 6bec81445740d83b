use std::fmt;

mod encode;
pub mod keywords;
mod layout;
mod nested;
pub mod parts;
pub(crate) mod search;
mod times;
mod words;

pub use encode::{Encode, Output};
pub use layout::{Layout, LayoutCase, LayoutField};
pub use nested::{EncodeTagged, Framed, LayoutOf, Nested, NestedProgress, NoLayout, Tagged};
use parts::mark;
pub use times::{Repeated, Rest, Times, TimesIter, TimesProgress, rest};
pub use words::Words;

/// A decoder of whole messages, which may borrow from the input.
///
/// A state with `#[read(frame = T, max = ..)]` makes one `T` for each frame with [`Default`], and
/// calls [`decode`](Frame::decode) until the frame is complete. A decoder stores its progress on an
/// incomplete frame in `self`; a decoder without progress is a unit struct. Store progress only
/// when the input is incomplete, because nearly all frames arrive whole and then the decoder lives
/// on the stack alone.
///
/// The handler borrows the item from the input buffer; nothing is copied.
///
/// The end of a frame must depend on its bytes alone, and not on the number of bytes that have
/// arrived. [`check::splits`](crate::sim::check::splits) finds decoders that return different
/// frames for different cuts of the same stream. To take all bytes that have arrived, use
/// `#[read(some, ..)]`.
///
/// ```
/// use fsm_runtime::{Decoded, Frame};
///
/// /// A length byte, which is not 0, and that number of bytes.
/// #[derive(Default)]
/// struct Short;
///
/// impl Frame for Short {
///     type Item<'a> = &'a [u8];
///     type Error = &'static str;
///
///     fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<&'a [u8]>, Self::Error> {
///         let end = match input.first() {
///             None => return Ok(Decoded::More(2)),
///             Some(0) => return Err("the length is 0"),
///             Some(&len) => 1 + usize::from(len),
///         };
///         Ok(match input.get(1..end) {
///             Some(text) => Decoded::Frame(text, end),
///             None => Decoded::More(end),
///         })
///     }
/// }
///
/// assert_eq!(Short.decode(b"\x02hi!"), Ok(Decoded::Frame(&b"hi"[..], 3)));
/// assert_eq!(Short.decode(b"\x02h"), Ok(Decoded::More(3)));
/// assert_eq!(Short.decode(b"\0"), Err("the length is 0"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no decoder of frames",
    label = "write the decoder of a frame: the name in its `#[frame(NAME)]`, or a type that implements `Frame`",
    note = "implement `fsm_runtime::Frame` for it, and `Default`, or read with `until`, `exact` or `some`",
    note = "a frame with `#[rest]` has no end of its own; write `#[bytes(len <= 64KiB)]`, or put it in a `#[part(..)]`"
)]
pub trait Frame: Default + Send + 'static {
    /// The decoded message, which the handler gets.
    type Item<'a>;

    /// The reason why the input is no frame. It takes the state's `refused` edge, and fills the
    /// target's `#[error]` field if there is one.
    type Error: fmt::Display;

    /// The layout of the frame, if it was declared with `#[frame]`. A state that reads with the decoder
    /// needs no `max` then, and the `SPEC` of its machine has the layout.
    const LAYOUT: Option<&'static Layout> = None;

    /// Decodes one frame at the start of `input`.
    ///
    /// `input` begins at the first byte of the frame on every call for that frame. A later call
    /// gets the same bytes with more behind them. `input` is never longer than the state's `max`,
    /// and may contain the beginning of later frames.
    ///
    /// # Errors
    ///
    /// When no continuation of `input` can be a frame.
    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Self::Item<'a>>, Self::Error>;
}

/// The result of [`Frame::decode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<T> {
    /// A frame, and the number of bytes of input that it took: at least one, and at most all.
    ///
    /// Any other number is a bug of the decoder and panics, which ends that connection alone.
    Frame(T, usize),
    /// The frame is incomplete. It has at least this number of bytes in total; 0 if that is not
    /// known.
    ///
    /// A number over the state's `max` takes the `limit` edge at once, before any of the announced
    /// bytes is stored.
    More(usize),
}

/// The error of a decoder that refuses nothing: [`Infallible`](std::convert::Infallible). A state that
/// reads with such a decoder needs no `refused` edge.
///
/// ```
/// use fsm_runtime::NeverRefuses;
///
/// fn only_unrefused<E: NeverRefuses>(read: Result<u8, E>) -> u8 {
///     read.unwrap_or_else(|error| error.never())
/// }
///
/// assert_eq!(only_unrefused(Ok::<_, std::convert::Infallible>(7)), 7);
/// ```
#[diagnostic::on_unimplemented(
    message = "the decoder may refuse its input with `{Self}`, and nothing says where that leads",
    label = "add `refused => State` to this `read`, or to `#[state_machine(..)]`"
)]
pub trait NeverRefuses {
    /// Never called, because the error has no values.
    fn never(self) -> !;
}

impl NeverRefuses for std::convert::Infallible {
    fn never(self) -> ! {
        match self {}
    }
}

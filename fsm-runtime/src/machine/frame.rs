use std::fmt;

/// A decoder of whole messages, which borrow from the input.
///
/// A state with `#[read(frame = T, max = ..)]` makes one `T` per frame with [`Default`], and calls
/// [`decode`](Frame::decode) until the frame is whole. What a decoder learned about the part that
/// has come so far it keeps in `self`; a decoder that keeps nothing is a unit struct. Try the
/// whole frame on the slice first and keep something only when the input ends: nearly all frames
/// come in one piece, and then the decoder lives on the stack.
///
/// The item may borrow from the input and is lent to the handler: nothing is copied.
///
/// Where a frame ends may depend on its bytes alone, not on how many of them have come: a decoder
/// that takes whatever is there gives other frames to other cuts of the same stream, and
/// [`check::splits`](crate::sim::check::splits) finds it out. For what is there, use
/// `#[read(some, ..)]`.
///
/// ```
/// use fsm_runtime::{Decoded, Frame};
///
/// /// A byte that says how many bytes follow.
/// #[derive(Default)]
/// struct Short;
///
/// impl Frame for Short {
///     type Item<'a> = &'a [u8];
///     type Error = std::convert::Infallible;
///
///     fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<&'a [u8]>, Self::Error> {
///         let Some(&len) = input.first() else { return Ok(Decoded::More(1)) };
///         let end = 1 + usize::from(len);
///         Ok(match input.get(1..end) {
///             Some(text) => Decoded::Frame(text, end),
///             None => Decoded::More(end),
///         })
///     }
/// }
///
/// assert_eq!(Short.decode(b"\x02hi!"), Ok(Decoded::Frame(&b"hi"[..], 3)));
/// assert_eq!(Short.decode(b"\x02h"), Ok(Decoded::More(3)));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no decoder of frames",
    label = "`#[read(frame = ..)]` takes a type that implements `Frame`",
    note = "implement `fsm_runtime::Frame` for it, and `Default`, or read with `until`, `exact` or `some`"
)]
pub trait Frame: Default + Send + 'static {
    /// What the handler gets.
    type Item<'a>;

    /// Why the input is no frame. It takes the state's `error` edge, into the target's
    /// `#[error]` field if there is one.
    type Error: fmt::Display;

    /// Looks for one frame at the start of `input`.
    ///
    /// `input` begins at the first byte of the frame on every call for that frame; a later call
    /// sees the same bytes with more behind them. It is never longer than the state's `max`, and
    /// may hold the beginning of the frames that follow.
    ///
    /// ```
    /// use fsm_runtime::{Decoded, Frame};
    ///
    /// /// A letter `a` to `z`, and the same letter again.
    /// #[derive(Default)]
    /// struct Pair;
    ///
    /// impl Frame for Pair {
    ///     type Item<'a> = char;
    ///     type Error = &'static str;
    ///
    ///     fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<char>, Self::Error> {
    ///         match input {
    ///             [] => Ok(Decoded::More(2)),
    ///             [letter, ..] if !letter.is_ascii_lowercase() => Err("no letter"),
    ///             [_] => Ok(Decoded::More(2)),
    ///             [a, b, ..] if a == b => Ok(Decoded::Frame((*a).into(), 2)),
    ///             _ => Err("no pair"),
    ///         }
    ///     }
    /// }
    ///
    /// assert_eq!(Pair.decode(b"a"), Ok(Decoded::More(2)));
    /// assert_eq!(Pair.decode(b"aabb"), Ok(Decoded::Frame('a', 2)));
    /// assert_eq!(Pair.decode(b"7"), Err("no letter"));
    /// ```
    ///
    /// # Errors
    ///
    /// When no continuation of `input` can be a frame.
    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Self::Item<'a>>, Self::Error>;
}

/// What a decoder found.
///
/// ```
/// use fsm_runtime::Decoded;
/// assert_ne!(Decoded::Frame("item", 4), Decoded::More(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<T> {
    /// A frame, and the number of bytes of input that it took: at least one, at most all.
    ///
    /// Any other number is a bug of the decoder; it panics, which ends that connection alone.
    Frame(T, usize),
    /// The frame is not whole; it has at least this many bytes altogether, 0 where that is not
    /// known.
    ///
    /// A number over the state's `max` takes the `limit` edge at once, before anything is stored.
    More(usize),
}

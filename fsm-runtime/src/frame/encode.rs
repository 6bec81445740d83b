use bytes::BytesMut;

/// A frame that was declared with `#[frame]`, and that can be written.
///
/// `#[frame]` implements it. The frame's decoder reads the bytes that it writes as the same frame, whatever
/// follows: [`check::frames`](crate::check::frames) tests that.
///
/// ```
/// use fsm_runtime::prelude::*;
///
/// #[frame(Blocks)]
/// struct Block<'a> {
///     kind: u8,
///     len: u16,
///     #[bytes(len <= 1KiB)]
///     body: &'a [u8],
/// }
///
/// # fn main() {
/// let mut out = Vec::new();
/// let block = Block { kind: 7, body: b"hello" };
/// assert_eq!(block.encode(&mut out), Ok(()));
/// assert_eq!(out, b"\x07\0\x05hello");
/// assert_eq!(block.encoded_len(), out.len());
///
/// // A frame that the decoder would refuse is not written.
/// let long = Block { kind: 7, body: &[0; 2000] };
/// let error = long.encode(&mut out).unwrap_err();
/// assert_eq!(error.to_string(), "the length of `body` is 2000, and may be at most 1024");
/// assert_eq!(out.len(), 8);
/// # }
/// ```
pub trait Encode {
    /// The reason why a frame is none; the error type of the decoder.
    type Error;

    /// The number of bytes that [`encode`](Self::encode) writes.
    fn encoded_len(&self) -> usize;

    /// Whether the decoder would read this frame again.
    ///
    /// # Errors
    ///
    /// When a part is longer than its bound, contains what ends it, or does not agree with a field that
    /// says whether it is there or how long it is.
    fn check(&self) -> Result<(), Self::Error>;

    /// Writes the frame, which [`check`](Self::check) has found to be one.
    #[doc(hidden)]
    fn put(&self, out: &mut impl Output);

    /// Writes the frame to the end of `out`.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check). Then nothing is written.
    #[inline]
    fn encode(&self, out: &mut impl Output) -> Result<(), Self::Error> {
        self.check()?;
        self.put(out);
        Ok(())
    }
}

/// A sink for frames: the `cx` of a handler, a `Vec<u8>`, a [`BytesMut`], or a type of your own.
///
/// ```
/// use fsm_runtime::{Output, prelude::*};
///
/// /// Counts the bytes.
/// struct Count(usize);
///
/// impl Output for Count {
///     fn put(&mut self, bytes: &[u8]) {
///         self.0 += bytes.len();
///     }
/// }
///
/// #[frame(Pings)]
/// struct Ping {
///     number: u32,
/// }
///
/// # fn main() {
/// let mut count = Count(0);
/// assert_eq!(Ping { number: 7 }.encode(&mut count), Ok(()));
/// assert_eq!(count.0, 4);
/// # }
/// ```
pub trait Output {
    /// Appends a copy of `bytes`.
    fn put(&mut self, bytes: &[u8]);
}

impl Output for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Output for BytesMut {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

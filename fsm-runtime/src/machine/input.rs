use crate::frame::search;
use crate::{Decoded, Frame};

/// The unread input of a machine, from which generated code takes messages.
///
/// All methods borrow from the input buffer and copy nothing.
///
/// ```
/// use fsm_runtime::{Input, Miss};
///
/// let mut input = Input::<()>::new(b"PING\r\n\x01\x02abcdefgh=");
/// assert_eq!(input.until(b"\r\n", 64), Ok(&b"PING"[..]));
/// assert_eq!(input.exact::<2>(), Ok(&[1, 2]));
/// assert_eq!(input.exact_len(3, 64), Ok(&b"abc"[..]));
/// assert_eq!(input.upto(2, 64), Ok(&b"de"[..]));
/// assert_eq!(input.some(1), Ok(&b"f"[..]));
///
/// assert_eq!(input.exact_len(65, 64), Err(Miss::Limit));
/// assert_eq!(input.until(b"\n", 64), Err(Miss::More));
/// // Another state with another delimiter must search from the first byte.
/// input.restart();
/// assert_eq!(input.until(b"=", 64), Ok(&b"gh"[..]));
/// assert_eq!(input.unread(), b"");
/// ```
#[derive(Debug)]
pub struct Input<'a, P> {
    bytes: &'a [u8],
    /// The number of bytes that were searched for a delimiter and have none; while bytes are
    /// discarded, the number that is gone.
    scanned: usize,
    /// The size of the message of `exact` that was found to be incomplete; 0 if there is none. The size
    /// that a decoder announces is not used, because it is a lower bound.
    wanted: usize,
    eof: bool,
    partial: P,
}

/// The reason why a method of [`Input`] returns no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// The input is incomplete, and more may arrive.
    More,
    /// The message is larger than the state allows.
    Limit,
    /// The input is incomplete, and the peer has ended its stream.
    Eof,
}

/// The reason why [`Input::frame`] returns no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFrame<E> {
    /// There is no complete frame within the limit.
    Miss(Miss),
    /// The decoder refused the input.
    Error(E),
}

impl<'a, P: Default> Input<'a, P> {
    /// New input, of which `bytes` have arrived.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, scanned: 0, wanted: 0, eof: false, partial: P::default() }
    }

    /// The input `bytes`, with the progress that an earlier turn made on it.
    #[inline]
    pub(crate) fn resumed(bytes: &'a [u8], progress: DecodeProgress<P>, eof: bool) -> Self {
        Self { bytes, scanned: progress.scanned, wanted: 0, eof, partial: progress.partial }
    }

    /// The progress that was made on the unread bytes, for a later turn.
    #[inline]
    pub(crate) fn into_progress(self) -> DecodeProgress<P> {
        DecodeProgress { scanned: self.scanned, partial: self.partial }
    }

    /// The size of the message at the start of the unread bytes, which is within its limit; 0 if that is
    /// not known.
    #[inline]
    pub(crate) fn wanted(&self) -> usize {
        self.wanted
    }

    /// Discards the progress that was made on the unread bytes, because another state reads them in
    /// another way.
    #[inline]
    pub fn restart(&mut self) {
        self.scanned = 0;
        self.wanted = 0;
        self.partial = P::default();
    }

    /// Whether the peer has ended its stream. Unread bytes may be left.
    #[inline]
    pub fn ended(&self) -> bool {
        self.eof
    }

    /// Whether the peer has ended its stream and no byte is unread.
    #[inline]
    pub fn at_end(&self) -> bool {
        self.eof && self.bytes.is_empty()
    }

    /// The unread bytes.
    #[inline]
    pub fn unread(&self) -> &'a [u8] {
        self.bytes
    }

    #[inline]
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, left) = self.bytes.split_at(len);
        self.bytes = left;
        self.scanned = 0;
        taken
    }

    #[inline]
    fn miss(&self) -> Miss {
        if self.eof { Miss::Eof } else { Miss::More }
    }

    /// Takes exactly `N` bytes.
    ///
    /// # Errors
    ///
    /// [`Miss::More`] or [`Miss::Eof`] when fewer are unread.
    #[inline]
    pub fn exact<const N: usize>(&mut self) -> Result<&'a [u8; N], Miss> {
        let Some((taken, left)) = self.bytes.split_first_chunk::<N>() else {
            self.wanted = N;
            return Err(self.miss());
        };
        self.bytes = left;
        self.scanned = 0;
        Ok(taken)
    }

    /// Looks at the next `N` bytes, and leaves them unread.
    ///
    /// # Errors
    ///
    /// [`Miss::More`] or [`Miss::Eof`] when fewer are unread.
    #[inline]
    pub fn peek<const N: usize>(&mut self) -> Result<&'a [u8; N], Miss> {
        let Some(seen) = self.bytes.first_chunk::<N>() else {
            self.wanted = N;
            return Err(self.miss());
        };
        self.scanned = 0;
        Ok(seen)
    }

    /// Takes exactly `len` bytes, where `len` is known only at run time.
    ///
    /// # Errors
    ///
    /// [`Miss::Limit`] when `len` is over `max`, even before any byte has arrived; [`Miss::More`]
    /// or [`Miss::Eof`] when fewer than `len` bytes are unread.
    #[inline]
    pub fn exact_len(&mut self, len: u64, max: usize) -> Result<&'a [u8], Miss> {
        match usize::try_from(len) {
            Ok(len) if len <= max && len <= self.bytes.len() => Ok(self.take(len)),
            Ok(len) if len <= max => {
                self.wanted = len;
                Err(self.miss())
            }
            _ => Err(Miss::Limit),
        }
    }

    /// Takes the bytes before `delimiter`, at most `max`, and the delimiter itself. Returns the
    /// bytes without the delimiter.
    ///
    /// Later calls continue the search where the last one ended, so that the time is linear in the
    /// length of the message, however the input is cut.
    ///
    /// # Errors
    ///
    /// [`Miss::Limit`] when no delimiter ends within `max` bytes and the length of the delimiter;
    /// [`Miss::More`] or [`Miss::Eof`] when there is no delimiter yet.
    #[inline]
    pub fn until(&mut self, delimiter: &[u8], max: usize) -> Result<&'a [u8], Miss> {
        let window = max.saturating_add(delimiter.len());
        let searched = &self.bytes[..self.bytes.len().min(window)];
        // A delimiter may begin in the last bytes of the previous search.
        let from =
            self.scanned.saturating_sub(delimiter.len().saturating_sub(1)).min(searched.len());
        match search::find(searched, from, delimiter) {
            Some(at) => {
                let before = &self.bytes[..at];
                self.take(at + delimiter.len());
                Ok(before)
            }
            None if searched.len() == window => Err(Miss::Limit),
            None => {
                self.scanned = searched.len();
                Err(self.miss())
            }
        }
    }

    /// Takes the unread bytes, at least one and at most `max`.
    ///
    /// # Errors
    ///
    /// [`Miss::More`] or [`Miss::Eof`] when no byte is unread.
    #[inline]
    pub fn some(&mut self, max: usize) -> Result<&'a [u8], Miss> {
        if self.bytes.is_empty() {
            Err(self.miss())
        } else {
            Ok(self.take(self.bytes.len().min(max)))
        }
    }

    /// Takes a datagram. One that is larger than `max` is discarded.
    ///
    /// ```
    /// use fsm_runtime::{Input, Miss};
    ///
    /// assert_eq!(Input::<()>::new(b"question").datagram(8), Ok(&b"question"[..]));
    /// assert_eq!(Input::<()>::new(b"too large").datagram(8), Err(Miss::More));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Miss::More`] when none has arrived.
    #[inline]
    pub fn datagram(&mut self, max: usize) -> Result<&'a [u8], Miss> {
        let datagram = self.take(self.bytes.len());
        if datagram.is_empty() || datagram.len() > max { Err(Miss::More) } else { Ok(datagram) }
    }

    /// Takes the unread bytes, at least one, and at most `max` and `left`. Returns an empty slice
    /// if `left` is 0.
    ///
    /// # Errors
    ///
    /// [`Miss::More`] or [`Miss::Eof`] when no byte is unread and `left` is not 0.
    #[inline]
    pub fn upto(&mut self, left: u64, max: usize) -> Result<&'a [u8], Miss> {
        if left == 0 {
            return Ok(&[]);
        }
        self.some(max.min(usize::try_from(left).unwrap_or(usize::MAX)))
    }

    /// Discards the bytes up to and with `delimiter`, as they arrive.
    ///
    /// ```
    /// use fsm_runtime::{Input, Miss};
    ///
    /// let mut input = Input::<()>::new(b"too long\r");
    /// assert_eq!(input.discard_until(b"\r\n"), Err(Miss::More));
    /// // The rest may be the first half of the delimiter.
    /// assert_eq!(input.unread(), b"\r");
    /// ```
    ///
    /// # Errors
    ///
    /// [`Miss::More`] or [`Miss::Eof`] when there is no delimiter yet.
    pub fn discard_until(&mut self, delimiter: &[u8]) -> Result<(), Miss> {
        if let Some(at) = search::find(self.bytes, 0, delimiter) {
            self.take(at + delimiter.len());
            return Ok(());
        }
        let kept = self.bytes.len().min(delimiter.len().saturating_sub(1));
        self.take(self.bytes.len() - kept);
        Err(self.miss())
    }

    /// Discards the next `len` bytes, as they arrive.
    ///
    /// ```
    /// use fsm_runtime::{Input, Miss};
    ///
    /// let mut input = Input::<()>::new(b"body of a request\nnext");
    /// assert_eq!(input.discard_exact(18), Ok(()));
    /// assert_eq!(input.unread(), b"next");
    /// assert_eq!(input.discard_exact(5), Err(Miss::More));
    /// assert_eq!(input.unread(), b"");
    /// ```
    ///
    /// # Errors
    ///
    /// [`Miss::More`] or [`Miss::Eof`] when fewer bytes have arrived.
    pub fn discard_exact(&mut self, len: u64) -> Result<(), Miss> {
        let gone = self.scanned;
        let left = len.saturating_sub(gone as u64);
        let now = usize::try_from(left).map_or(self.bytes.len(), |left| left.min(self.bytes.len()));
        self.take(now);
        if now as u64 == left {
            return Ok(());
        }
        self.scanned = gone.saturating_add(now);
        Err(self.miss())
    }

    /// Takes one frame of the decoder `T`. `load` extracts the decoder of an incomplete frame from
    /// the machine's [`Partial`](crate::Machine::Partial), and `store` puts it there.
    ///
    /// ```
    /// use fsm_runtime::{Decoded, Frame, Input, Miss, NoFrame};
    ///
    /// /// A length byte, and that number of bytes.
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
    ///         Ok(input.get(1..end).map_or(Decoded::More(end), |text| Decoded::Frame(text, end)))
    ///     }
    /// }
    ///
    /// let mut input = Input::<Option<Short>>::new(b"\x02hi\x05wor");
    /// assert_eq!(input.frame(64, |partial| partial, Some::<Short>), Ok(&b"hi"[..]));
    /// assert_eq!(input.frame(64, |partial| partial, Some::<Short>), Err(NoFrame::Miss(Miss::More)));
    /// assert_eq!(input.frame(4, |partial| partial, Some::<Short>), Err(NoFrame::Miss(Miss::Limit)));
    /// ```
    ///
    /// # Errors
    ///
    /// [`NoFrame::Miss`] when the frame is incomplete or larger than `max`; [`NoFrame::Error`] when
    /// the decoder refuses the input.
    ///
    /// # Panics
    ///
    /// When the decoder returns a frame of no byte, or of more bytes than its input.
    #[inline]
    pub fn frame<T: Frame>(
        &mut self,
        max: usize,
        load: impl FnOnce(P) -> Option<T>,
        store: impl FnOnce(T) -> P,
    ) -> Result<T::Item<'a>, NoFrame<T::Error>> {
        if self.bytes.is_empty() {
            return Err(NoFrame::Miss(self.miss()));
        }
        let window = &self.bytes[..self.bytes.len().min(max)];
        let mut decoder = load(std::mem::take(&mut self.partial)).unwrap_or_default();
        match decoder.decode(window) {
            Ok(Decoded::Frame(item, used)) => {
                assert!(
                    (1..=window.len()).contains(&used),
                    "the decoder {} took {used} of {} bytes",
                    std::any::type_name::<T>(),
                    window.len()
                );
                self.take(used);
                Ok(item)
            }
            Ok(Decoded::More(total)) => {
                if window.len() == max || total > max {
                    return Err(NoFrame::Miss(Miss::Limit));
                }
                self.partial = store(decoder);
                Err(NoFrame::Miss(self.miss()))
            }
            Err(error) => Err(NoFrame::Error(error)),
        }
    }
}

/// The progress that was made on an incomplete message.
#[derive(Debug, Default)]
pub(crate) struct DecodeProgress<P> {
    scanned: usize,
    partial: P,
}

impl<P> DecodeProgress<P> {
    /// Whether it is progress on input that is not unread any more.
    pub(crate) fn outlives_input(&self) -> bool {
        self.scanned > 0
    }
}

#[cfg(test)]
mod tests;

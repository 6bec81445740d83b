use crate::{Decoded, Frame};

/// What has come for a machine and is not used yet. Generated code takes from it.
///
/// All that is taken is lent from the buffer, for as long as the handler runs.
///
/// ```
/// use fsm_runtime::{Input, Miss};
///
/// let mut input = Input::<()>::new(b"PING\r\nPI");
/// assert_eq!(input.until(b"\r\n", 64), Ok(&b"PING"[..]));
/// assert_eq!(input.until(b"\r\n", 64), Err(Miss::More));
/// assert_eq!(input.unread(), b"PI");
/// ```
#[derive(Debug)]
pub struct Input<'a, P> {
    bytes: &'a [u8],
    /// So many bytes were searched for a delimiter before.
    scanned: usize,
    eof: bool,
    partial: P,
}

/// Why nothing can be taken.
///
/// ```
/// assert_ne!(fsm_runtime::Miss::More, fsm_runtime::Miss::Eof);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// More must come first.
    More,
    /// It is larger than the state allows.
    Limit,
    /// The peer has ended its stream, and what is here is not enough.
    Eof,
}

/// Why there is no frame.
///
/// ```
/// use fsm_runtime::{Miss, NoFrame};
/// assert_ne!(NoFrame::Error("bad length"), NoFrame::Miss(Miss::More));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFrame<E> {
    /// None is there.
    Miss(Miss),
    /// The decoder refused the input.
    Error(E),
}

impl<'a, P: Default> Input<'a, P> {
    /// Input that begins with `bytes`.
    ///
    /// ```
    /// assert_eq!(fsm_runtime::Input::<()>::new(b"ab").unread(), b"ab");
    /// ```
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, scanned: 0, eof: false, partial: P::default() }
    }

    /// Input that begins with `bytes`, of which an earlier turn has seen a part.
    #[inline]
    pub(crate) fn resumed(bytes: &'a [u8], progress: DecodeProgress<P>, eof: bool) -> Self {
        Self { bytes, scanned: progress.scanned, eof, partial: progress.partial }
    }

    /// What a later turn must know about the bytes that are left.
    #[inline]
    pub(crate) fn into_progress(self) -> DecodeProgress<P> {
        DecodeProgress { scanned: self.scanned, partial: self.partial }
    }

    /// Forgets what was learned about the bytes that are left: another state reads them.
    ///
    /// ```
    /// use fsm_runtime::{Input, Miss};
    ///
    /// let mut input = Input::<()>::new(b"name=value");
    /// assert_eq!(input.until(b"\n", 64), Err(Miss::More));
    /// // A state with another delimiter must search from the first byte on.
    /// input.restart();
    /// assert_eq!(input.until(b"=", 64), Ok(&b"name"[..]));
    /// ```
    #[inline]
    pub fn restart(&mut self) {
        self.scanned = 0;
        self.partial = P::default();
    }

    /// Whether the peer has ended its stream; bytes may be left.
    ///
    /// ```
    /// assert!(!fsm_runtime::Input::<()>::new(b"ab").ended());
    /// ```
    #[inline]
    pub fn ended(&self) -> bool {
        self.eof
    }

    /// All bytes that are left.
    ///
    /// ```
    /// assert_eq!(fsm_runtime::Input::<()>::new(b"ab").unread(), b"ab");
    /// ```
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

    /// Exactly `N` bytes.
    ///
    /// ```
    /// use fsm_runtime::Input;
    /// assert_eq!(Input::<()>::new(b"abc").exact::<2>(), Ok(b"ab"));
    /// ```
    ///
    /// # Errors
    ///
    /// When there are fewer.
    #[inline]
    pub fn exact<const N: usize>(&mut self) -> Result<&'a [u8; N], Miss> {
        match self.bytes.split_first_chunk::<N>() {
            Some((taken, left)) => {
                self.bytes = left;
                self.scanned = 0;
                Ok(taken)
            }
            None => Err(self.miss()),
        }
    }

    /// Exactly `len` bytes, where `len` is known only at run time.
    ///
    /// ```
    /// use fsm_runtime::{Input, Miss};
    /// assert_eq!(Input::<()>::new(b"abc").exact_len(2, 64), Ok(&b"ab"[..]));
    /// assert_eq!(Input::<()>::new(b"abc").exact_len(65, 64), Err(Miss::Limit));
    /// ```
    ///
    /// # Errors
    ///
    /// When there are fewer, or `len` is over `max`.
    #[inline]
    pub fn exact_len(&mut self, len: u64, max: usize) -> Result<&'a [u8], Miss> {
        match usize::try_from(len) {
            Ok(len) if len <= max && len <= self.bytes.len() => Ok(self.take(len)),
            Ok(len) if len <= max => Err(self.miss()),
            _ => Err(Miss::Limit),
        }
    }

    /// The bytes before `delimiter`, at most `max`; the delimiter is used up too.
    ///
    /// No byte is searched twice, however the input is cut, but for as many as a delimiter has less
    /// one.
    ///
    /// ```
    /// use fsm_runtime::{Input, Miss};
    /// assert_eq!(Input::<()>::new(b"a\nb").until(b"\n", 1), Ok(&b"a"[..]));
    /// assert_eq!(Input::<()>::new(b"aaa\n").until(b"\n", 1), Err(Miss::Limit));
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no delimiter yet, or none within `max` bytes.
    #[inline]
    pub fn until(&mut self, delimiter: &[u8], max: usize) -> Result<&'a [u8], Miss> {
        let window = max.saturating_add(delimiter.len());
        let searched = &self.bytes[..self.bytes.len().min(window)];
        // A delimiter may begin in the last bytes that were searched before.
        let from =
            self.scanned.saturating_sub(delimiter.len().saturating_sub(1)).min(searched.len());
        let found = match delimiter {
            [byte] => memchr::memchr(*byte, &searched[from..]),
            _ => memchr::memmem::find(&searched[from..], delimiter),
        };
        match found {
            Some(at) => {
                let before = &self.bytes[..from + at];
                self.take(from + at + delimiter.len());
                Ok(before)
            }
            None if searched.len() == window => Err(Miss::Limit),
            None => {
                self.scanned = searched.len();
                Err(self.miss())
            }
        }
    }

    /// What is there, at least one byte and at most `max`.
    ///
    /// ```
    /// use fsm_runtime::Input;
    /// assert_eq!(Input::<()>::new(b"abc").some(2), Ok(&b"ab"[..]));
    /// ```
    ///
    /// # Errors
    ///
    /// When nothing is there.
    #[inline]
    pub fn some(&mut self, max: usize) -> Result<&'a [u8], Miss> {
        if self.bytes.is_empty() {
            Err(self.miss())
        } else {
            Ok(self.take(self.bytes.len().min(max)))
        }
    }

    /// What is there, at least one byte, at most `max` and never past the next `left` bytes;
    /// nothing at all where `left` is 0.
    ///
    /// ```
    /// use fsm_runtime::Input;
    /// assert_eq!(Input::<()>::new(b"abc").upto(1, 64), Ok(&b"a"[..]));
    /// assert_eq!(Input::<()>::new(b"abc").upto(0, 64), Ok(&b""[..]));
    /// ```
    ///
    /// # Errors
    ///
    /// When nothing is there.
    #[inline]
    pub fn upto(&mut self, left: u64, max: usize) -> Result<&'a [u8], Miss> {
        if left == 0 {
            return Ok(&[]);
        }
        self.some(max.min(usize::try_from(left).unwrap_or(usize::MAX)))
    }

    /// One frame of the decoder `T`, which `memory` finds in what was kept from earlier turns and
    /// `keep` puts there.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// use fsm_runtime::{Decoded, Frame, Input, Miss, NoFrame};
    ///
    /// /// A byte that says how many bytes follow.
    /// #[derive(Default)]
    /// struct Short;
    /// # impl Frame for Short {
    /// #     type Item<'a> = &'a [u8];
    /// #     type Error = Infallible;
    /// #     fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<&'a [u8]>, Infallible> {
    /// #         let Some(&len) = input.first() else { return Ok(Decoded::More(1)) };
    /// #         let end = 1 + usize::from(len);
    /// #         Ok(input.get(1..end).map_or(Decoded::More(end), |text| Decoded::Frame(text, end)))
    /// #     }
    /// # }
    ///
    /// let mut input = Input::<Option<Short>>::new(b"\x02hi\x05wor");
    /// assert_eq!(input.frame(64, |kept| kept, Some::<Short>), Ok(&b"hi"[..]));
    /// assert_eq!(input.frame(64, |kept| kept, Some::<Short>), Err(NoFrame::Miss(Miss::More)));
    /// assert_eq!(input.frame(4, |kept| kept, Some::<Short>), Err(NoFrame::Miss(Miss::Limit)));
    /// ```
    ///
    /// # Errors
    ///
    /// When the frame is not whole, or is larger than `max`, or the decoder says that it is none.
    ///
    /// # Panics
    ///
    /// When the decoder says that the frame took no byte, or more than there are.
    #[inline]
    pub fn frame<T: Frame>(
        &mut self,
        max: usize,
        memory: impl FnOnce(P) -> Option<T>,
        keep: impl FnOnce(T) -> P,
    ) -> Result<T::Item<'a>, NoFrame<T::Error>> {
        if self.bytes.is_empty() {
            return Err(NoFrame::Miss(self.miss()));
        }
        let window = &self.bytes[..self.bytes.len().min(max)];
        let mut decoder = memory(std::mem::take(&mut self.partial)).unwrap_or_default();
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
                self.partial = keep(decoder);
                Err(NoFrame::Miss(self.miss()))
            }
            Err(error) => Err(NoFrame::Error(error)),
        }
    }
}

/// What was learned about bytes that wait for more.
#[derive(Debug, Default)]
pub(crate) struct DecodeProgress<P> {
    scanned: usize,
    partial: P,
}

/// A length that a state's expression gives: any unsigned integer.
///
/// ```
/// use fsm_runtime::Length;
/// assert_eq!(7_u8.length(), 7);
/// assert_eq!(u64::MAX.length(), u64::MAX);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no length",
    label = "a length is an unsigned integer: `u8`, `u16`, `u32`, `u64` or `usize`"
)]
pub trait Length: Copy {
    /// The number of bytes.
    ///
    /// ```
    /// use fsm_runtime::Length;
    ///
    /// let left: &u32 = &70_000;
    /// assert_eq!(left.length(), 70_000);
    /// ```
    fn length(self) -> u64;
}

macro_rules! length {
    ($($int:ty)*) => {$(
        impl Length for $int {
            #[inline]
            fn length(self) -> u64 {
                self.into()
            }
        }
    )*};
}

length!(u8 u16 u32 u64);

impl Length for usize {
    #[inline]
    fn length(self) -> u64 {
        self as u64
    }
}

impl<T: Length> Length for &T {
    #[inline]
    fn length(self) -> u64 {
        (*self).length()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l8_all_that_is_taken_is_lent_from_the_buffer() {
        let buffer = b"abcdefgh\nijkl".to_vec();
        let mut input = Input::<()>::new(&buffer);
        let taken: [&[u8]; 5] = [
            input.exact::<2>().unwrap(),
            input.exact_len(2, 64).unwrap(),
            input.until(b"\n", 64).unwrap(),
            input.upto(2, 64).unwrap(),
            input.some(64).unwrap(),
        ];
        let places = [0..2, 2..4, 4..8, 9..11, 11..13];
        for (taken, place) in taken.into_iter().zip(places) {
            assert_eq!(taken.as_ptr_range(), buffer[place].as_ptr_range());
        }
    }

    #[test]
    fn pitfall_24_a_length_over_the_limit_is_refused_before_its_bytes_come() {
        let mut input = Input::<()>::new(b"");
        assert_eq!(input.exact_len(64, 64), Err(Miss::More));
        assert_eq!(input.exact_len(65, 64), Err(Miss::Limit));
        assert_eq!(input.exact_len(u64::MAX, 64), Err(Miss::Limit));
    }
}

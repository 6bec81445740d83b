use std::fmt;
use std::marker::PhantomData;

use super::{Decoded, Encode, Framed, Nested};

/// Frames of the decoder `F` in a row: a field with `#[times(n <= 64)]`, or with `#[rest]`.
///
/// It lends the frames out of the input and allocates nothing. The decoder has read them all once, to find
/// their end; the iterator reads each again.
///
/// ```
/// use fsm_runtime::prelude::*;
///
/// #[frame(Pairs)]
/// #[derive(Debug, PartialEq)]
/// struct Pair {
///     key: u8,
///     value: u16,
/// }
///
/// #[frame(Lists)]
/// struct List<'a> {
///     count: u8,
///     #[times(count <= 64)]
///     pairs: Times<'a, Pairs>,
/// }
///
/// # fn main() {
/// let input = b"\x02\x01\0\x07\x02\0\x09";
/// let Ok(Decoded::Frame(list, 7)) = Lists::default().decode(input) else { panic!() };
/// assert_eq!(list.pairs.len(), 2);
/// let values: Vec<u16> = list.pairs.iter().map(|pair| pair.value).collect();
/// assert_eq!(values, [7, 9]);
///
/// // To write some, encode them first, into bytes that they borrow from.
/// let mut bytes = Vec::new();
/// let pairs = (1..=3).map(|key| Pair { key, value: 0 });
/// let list = List { pairs: Times::of(pairs, &mut bytes).unwrap() };
/// let mut out = Vec::new();
/// list.encode(&mut out).unwrap();
/// assert_eq!(out, b"\x03\x01\0\0\x02\0\0\x03\0\0");
/// # }
/// ```
pub struct Times<'a, F> {
    bytes: &'a [u8],
    len: usize,
    frames: PhantomData<fn() -> F>,
}

impl<'a, F: Nested> Times<'a, F> {
    /// The frames that `bytes` consist of; `None` if they are no whole frames.
    pub fn encoded(bytes: &'a [u8]) -> Option<Self> {
        let (mut left, mut len) = (bytes, 0);
        while !left.is_empty() {
            let Ok(Decoded::Frame(_, used)) = F::default().nested(left) else { return None };
            left = left.get(used.max(1)..)?;
            len += 1;
        }
        Some(Self::new(bytes, len))
    }

    /// The frames that `items` are, encoded into `bytes`, which is cleared first.
    ///
    /// # Errors
    ///
    /// When one of them cannot be encoded.
    pub fn of<I>(
        items: impl IntoIterator<Item = I>,
        bytes: &'a mut Vec<u8>,
    ) -> Result<Self, I::Error>
    where
        I: Encode + Framed<Decoder = F>,
    {
        bytes.clear();
        let mut len = 0;
        for item in items {
            item.encode(bytes)?;
            len += 1;
        }
        Ok(Self::new(bytes, len))
    }

    /// An iterator over the frames.
    pub fn iter(&self) -> TimesIter<'a, F> {
        TimesIter(*self)
    }
}

impl<'a, F> Times<'a, F> {
    /// `len` frames that were decoded once.
    #[doc(hidden)]
    #[inline]
    pub fn new(bytes: &'a [u8], len: usize) -> Self {
        Self { bytes, len, frames: PhantomData }
    }

    /// The number of frames.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no frame.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The frames as they were sent.
    #[inline]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<F> Clone for Times<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Times<'_, F> {}

/// No frames.
impl<F> Default for Times<'_, F> {
    fn default() -> Self {
        Self::new(&[], 0)
    }
}

impl<F> PartialEq for Times<'_, F> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.bytes == other.bytes
    }
}

impl<F> Eq for Times<'_, F> {}

impl<F> fmt::Debug for Times<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Times({}, b\"{}\")", self.len, self.bytes.escape_ascii())
    }
}

impl<'a, F: Nested> IntoIterator for Times<'a, F> {
    type Item = F::Item<'a>;
    type IntoIter = TimesIter<'a, F>;

    #[inline]
    fn into_iter(self) -> TimesIter<'a, F> {
        TimesIter(self)
    }
}

impl<'a, F: Nested> IntoIterator for &Times<'a, F> {
    type Item = F::Item<'a>;
    type IntoIter = TimesIter<'a, F>;

    #[inline]
    fn into_iter(self) -> TimesIter<'a, F> {
        self.iter()
    }
}

/// The iterator of [`Times`].
#[derive(Debug)]
pub struct TimesIter<'a, F>(Times<'a, F>);

impl<'a, F: Nested> Iterator for TimesIter<'a, F> {
    type Item = F::Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<F::Item<'a>> {
        self.0.len = self.0.len.checked_sub(1)?;
        let Ok(Decoded::Frame(item, used)) = F::default().nested(self.0.bytes) else {
            return None;
        };
        self.0.bytes = self.0.bytes.get(used..)?;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len, Some(self.0.len))
    }
}

impl<F: Nested> ExactSizeIterator for TimesIter<'_, F> {}

/// The progress on frames in a row, of which the last is incomplete.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct TimesProgress<F> {
    /// The number of whole frames.
    done: u32,
    /// Where the next one begins.
    at: u32,
    frame: F,
}

/// The result of [`TimesProgress::resume`].
#[doc(hidden)]
#[derive(Debug)]
pub enum Repeated<E> {
    /// All are there, and end here.
    Whole(usize),
    /// The input has at least this number of bytes.
    More(usize),
    /// One was refused.
    Refused(E),
}

impl<F: Nested> TimesProgress<F> {
    /// Finds the end of `count` frames, which begin at `first`.
    #[inline]
    pub fn resume(&mut self, input: &[u8], first: usize, count: usize) -> Repeated<F::Error> {
        let mut at = (self.at as usize).max(first);
        let mut frame = std::mem::take(&mut self.frame);
        for done in self.done as usize..count {
            match frame.nested(input.get(at..).unwrap_or_default()) {
                Ok(Decoded::Frame(_, used)) => at += used,
                Ok(Decoded::More(total)) => {
                    let left = (count - done - 1).saturating_mul(F::MIN);
                    *self = Self { done: super::mark(done), at: super::mark(at), frame };
                    return Repeated::More((at + total).saturating_add(left));
                }
                Err(error) => return Repeated::Refused(error),
            }
            frame = F::default();
        }
        Repeated::Whole(at)
    }

    /// Remembers that all frames are there, and end at `at`.
    pub fn finish(&mut self, count: usize, at: usize) {
        *self = Self { done: super::mark(count), at: super::mark(at), frame: F::default() };
    }
}

/// The result of [`rest`].
#[doc(hidden)]
#[derive(Debug)]
pub enum Rest<'a, F, E> {
    /// The frames.
    Whole(Times<'a, F>),
    /// The last one is incomplete.
    Short,
    /// One was refused.
    Refused(E),
}

/// The frames that fill `input` to its end.
#[doc(hidden)]
pub fn rest<F: Nested>(input: &[u8]) -> Rest<'_, F, F::Error> {
    let (mut at, mut len) = (0, 0);
    while at < input.len() {
        match F::default().nested(&input[at..]) {
            // A frame of no byte would fill nothing.
            Ok(Decoded::Frame(_, 0) | Decoded::More(_)) => return Rest::Short,
            Ok(Decoded::Frame(_, used)) => at += used,
            Err(error) => return Rest::Refused(error),
        }
        len += 1;
    }
    Rest::Whole(Times::new(input, len))
}

//! The parts that the decoders share.

use std::fmt;
use std::marker::PhantomData;

use fsm_runtime::{Decoded, Frame};

/// Where `delimiter` begins, if it does not end in the first `searched` bytes.
#[inline]
pub(crate) fn find(input: &[u8], searched: usize, delimiter: &[u8]) -> Option<usize> {
    let (last, before) = delimiter.split_last()?;
    let mut from = searched.max(before.len());
    while let Some(at) = memchr::memchr(*last, input.get(from..)?) {
        let end = from + at;
        if input[..end].ends_with(before) {
            return Some(end - before.len());
        }
        from = end + 1;
    }
    None
}

/// Whether `input` begins with `literal`; `None` if it is too short to tell.
#[inline]
pub(crate) fn literal(input: &[u8], literal: &[u8]) -> Option<bool> {
    if let Some(input) = input.get(..literal.len()) {
        return Some(input == literal);
    }
    if literal.starts_with(input) { None } else { Some(false) }
}

/// An unsigned decimal number, without a sign or leading zeros.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    match text {
        [] | [b'0', _, ..] => None,
        digits => digits.iter().try_fold(0_u64, |number, digit| {
            let digit = digit.wrapping_sub(b'0');
            (digit < 10).then_some(digit)?;
            number.checked_mul(10)?.checked_add(digit.into())
        }),
    }
}

pub(crate) enum Counted {
    /// The number, and where what follows its line end begins.
    Number(u64, usize),
    More(usize),
    None,
}

/// A decimal number from `at` to the end of its line, of at most ten digits.
#[inline]
pub(crate) fn counted(input: &[u8], at: usize) -> Counted {
    let text = &input[at..];
    let (mut number, mut digits) = (0_u64, 0);
    loop {
        match text.get(digits) {
            Some(byte @ b'0'..=b'9') if digits < 10 && (digits != 1 || number != 0) => {
                number = number * 10 + u64::from(byte - b'0');
                digits += 1;
            }
            Some(b'\r') if digits > 0 => break,
            Some(_) => return Counted::None,
            None => return Counted::More(at + digits.max(1) + 2),
        }
    }
    match text.get(digits + 1) {
        Some(b'\n') => Counted::Number(number, at + digits + 2),
        Some(_) => Counted::None,
        None => Counted::More(at + digits + 2),
    }
}

/// The words of a line, apart by one space each.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b' ')
}

/// Frames in a row, which were decoded once and are decoded again as they are asked for.
pub(crate) struct Times<'a, F> {
    bytes: &'a [u8],
    len: usize,
    frames: PhantomData<fn() -> F>,
}

impl<'a, F> Times<'a, F> {
    pub(crate) fn new(bytes: &'a [u8], len: usize) -> Self {
        Self { bytes, len, frames: PhantomData }
    }
}

impl<F> Clone for Times<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Times<'_, F> {}

impl<F> fmt::Debug for Times<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Times").field("len", &self.len).finish_non_exhaustive()
    }
}

impl<'a, F: Frame> IntoIterator for Times<'a, F> {
    type Item = F::Item<'a>;
    type IntoIter = Items<'a, F>;

    fn into_iter(self) -> Items<'a, F> {
        Items(self)
    }
}

#[derive(Debug)]
pub(crate) struct Items<'a, F>(Times<'a, F>);

impl<'a, F: Frame> Iterator for Items<'a, F> {
    type Item = F::Item<'a>;

    fn next(&mut self) -> Option<F::Item<'a>> {
        self.0.len = self.0.len.checked_sub(1)?;
        let Ok(Decoded::Frame(item, used)) = F::default().decode(self.0.bytes) else {
            return None;
        };
        self.0.bytes = &self.0.bytes[used..];
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len, Some(self.0.len))
    }
}

//! The parts of generated decoders and encoders.

use super::{Layout, search};

/// The `N` bytes from `at` on.
#[inline]
pub fn chunk<const N: usize>(input: &[u8], at: usize) -> Option<&[u8; N]> {
    input.get(at..)?.first_chunk()
}

/// Whether `literal` is at `at`; `None` if the input is too short to tell.
#[inline]
pub fn begins(input: &[u8], at: usize, literal: &[u8]) -> Option<bool> {
    match input.get(at..at + literal.len()) {
        Some(found) => Some(found == literal),
        None => begins_as(input.get(at..).unwrap_or_default(), literal),
    }
}

/// The rest of the input is shorter than the literal, and may be its beginning.
#[cold]
fn begins_as(input: &[u8], literal: &[u8]) -> Option<bool> {
    if literal.starts_with(input) { None } else { Some(false) }
}

/// The largest length, whatever its bound: what is added to it does not overflow.
const LONGEST: usize = usize::MAX / 4;

/// A length that is within its bound.
#[inline]
pub fn bounded(len: u64, max: usize) -> Option<usize> {
    usize::try_from(len).ok().filter(|len| *len <= max.min(LONGEST))
}

/// The bound of frames of this layout, for a state that says none.
///
/// # Panics
///
/// When the frames were not declared with `#[frame]`. It runs at compile time alone.
#[track_caller]
pub const fn max_of(layout: Option<&'static Layout>) -> usize {
    match layout {
        Some(layout) => layout.max,
        None => {
            panic!("nothing bounds these frames; add `max = 64KiB` to `#[read(..)]` [fsm::E050]")
        }
    }
}

/// A number of three bytes.
///
/// # Errors
///
/// When it has more.
#[inline]
pub fn u24(number: u64) -> Result<u32, u64> {
    u32::try_from(number).ok().filter(|it| *it < 1 << 24).ok_or(number)
}

/// A length that was sent as a signed number; `None` if it is less than 0.
#[inline]
pub fn unsigned(len: i64) -> Option<u64> {
    u64::try_from(len).ok()
}

/// The largest of these sizes, in a constant.
pub const fn largest(sizes: &[usize]) -> usize {
    let (mut at, mut largest) = (0, 0);
    while at < sizes.len() {
        if sizes[at] > largest {
            largest = sizes[at];
        }
        at += 1;
    }
    largest
}

/// The sum of these sizes, in a constant.
pub const fn total(sizes: &[usize]) -> usize {
    let (mut at, mut total) = (0, 0_usize);
    while at < sizes.len() {
        total = total.saturating_add(sizes[at]);
        at += 1;
    }
    total
}

/// The size of `count` frames of `size` bytes, in a constant.
pub const fn times(count: usize, size: usize) -> usize {
    count.saturating_mul(size)
}

/// The smaller of two sizes, in a constant.
pub const fn least(one: usize, other: usize) -> usize {
    if one < other { one } else { other }
}

/// A bound that is computed for each frame, and that a constant bounds.
#[inline]
pub fn narrower(bound: u64, max: usize) -> usize {
    usize::try_from(bound).unwrap_or(max).min(max)
}

/// A position as a decoder keeps it. No frame is longer than a `u32` counts.
#[inline]
pub fn mark(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A number whose own bytes say where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number<T> {
    /// The number, and where it ends.
    Whole(T, usize),
    /// The input has at least this number of bytes.
    More(usize),
    /// It is no number, or not one in its range.
    Wrong,
}

/// A LEB128 number of at most `N` bytes: seven bits in each, the lowest first. Unless it is `PADDED` it takes
/// as few bytes as it can.
#[inline]
pub fn varint<const N: usize, const PADDED: bool>(input: &[u8], at: usize) -> Number<u64> {
    let mut number = 0;
    for (i, shift) in (0..N).zip((0_u32..).step_by(7)) {
        let Some(&byte) = input.get(at + i) else { return Number::More(at + i + 1) };
        let bits = u64::from(byte & 0x7F);
        let Some(shifted) = bits.checked_shl(shift).filter(|it| it >> shift == bits) else {
            return Number::Wrong;
        };
        number |= shifted;
        if byte < 0x80 {
            let is_shortest = PADDED || byte != 0 || i == 0;
            return if is_shortest { Number::Whole(number, at + i + 1) } else { Number::Wrong };
        }
    }
    Number::Wrong
}

/// The bytes of a LEB128 number, and how many there are.
#[inline]
pub fn to_varint(mut number: u64) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    let mut len = 0;
    loop {
        bytes[len] = (number & 0x7F) as u8;
        number >>= 7;
        if number == 0 {
            return (bytes, len + 1);
        }
        bytes[len] |= 0x80;
        len += 1;
    }
}

/// The number of bytes of a LEB128 number.
#[inline]
pub fn varint_len(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(7)
}

/// A decimal number without leading zeros from `at` on, of at most `digits` digits, with `end` behind it. If
/// that is empty, a byte of the next field is behind it, which is no digit: it is not counted in `More`.
#[inline]
pub fn decimal(input: &[u8], at: usize, digits: usize, end: &[u8]) -> Number<u64> {
    let text = input.get(at..).unwrap_or_default();
    let (mut number, mut len) = (0_u64, 0);
    loop {
        match text.get(len) {
            Some(byte @ b'0'..=b'9') if len < digits && (len != 1 || number != 0) => {
                let digit = u64::from(byte - b'0');
                number = if digits < 20 {
                    number * 10 + digit
                } else {
                    // The twentieth digit may be too much.
                    match number.checked_mul(10).and_then(|number| number.checked_add(digit)) {
                        Some(number) => number,
                        None => return Number::Wrong,
                    }
                };
                len += 1;
            }
            Some(byte) if len > 0 && end.first() == Some(byte) => break,
            Some(byte) if len > 0 && end.is_empty() && !byte.is_ascii_digit() => break,
            Some(_) => return Number::Wrong,
            None => return Number::More(at + len.max(1) + end.len()),
        }
    }
    ended(input, number, at + len, end)
}

/// A hexadecimal number from `at` on, of at most `digits` digits in either case, with `end` behind it. If that
/// is empty, a byte of the next field is behind it, which is no digit: it is not counted in `More`.
#[inline]
pub fn hex(input: &[u8], at: usize, digits: usize, end: &[u8]) -> Number<u64> {
    let text = input.get(at..).unwrap_or_default();
    let (mut number, mut len) = (0_u64, 0);
    loop {
        let Some(&byte) = text.get(len) else {
            return Number::More(at + len.max(1) + end.len());
        };
        let Some(digit) = char::from(byte).to_digit(16) else { break };
        if len == digits {
            return Number::Wrong;
        }
        number = number << 4 | u64::from(digit);
        len += 1;
    }
    if len == 0 { Number::Wrong } else { ended(input, number, at + len, end) }
}

#[inline]
fn ended(input: &[u8], number: u64, at: usize, end: &[u8]) -> Number<u64> {
    match begins(input, at, end) {
        Some(true) => Number::Whole(number, at + end.len()),
        Some(false) => Number::Wrong,
        None => Number::More(at + end.len()),
    }
}

/// A decimal number, which may have a `-`, from `at` on, with `end` behind it.
#[inline]
pub fn signed(input: &[u8], at: usize, digits: usize, end: &[u8]) -> Number<i64> {
    let minus = match input.get(at) {
        None => return Number::More(at + 1 + end.len()),
        Some(b'-') => 1,
        Some(_) => 0,
    };
    match decimal(input, at + minus, digits, end) {
        Number::Whole(number, end) => match with_sign(number, minus == 1) {
            Some(number) => Number::Whole(number, end),
            None => Number::Wrong,
        },
        Number::More(total) => Number::More(total),
        Number::Wrong => Number::Wrong,
    }
}

fn with_sign(number: u64, negative: bool) -> Option<i64> {
    if negative {
        0_i64.checked_sub_unsigned(number).filter(|it| *it < 0)
    } else {
        number.try_into().ok()
    }
}

/// The decimal number that a word is.
#[inline]
pub fn decimal_word(word: &[u8]) -> Option<u64> {
    match word {
        [] | [b'0', _, ..] => None,
        digits => digits.iter().try_fold(0_u64, |number, digit| {
            let digit = digit.wrapping_sub(b'0');
            (digit < 10).then_some(digit)?;
            number.checked_mul(10)?.checked_add(digit.into())
        }),
    }
}

/// The hexadecimal number that a word is.
#[inline]
pub fn hex_word(word: &[u8]) -> Option<u64> {
    if word.is_empty() || word.len() > 16 {
        return None;
    }
    word.iter().try_fold(0, |number, digit| {
        Some(number << 4 | u64::from(char::from(*digit).to_digit(16)?))
    })
}

/// The decimal number that a word is, which may have a `-`.
#[inline]
pub fn signed_word(word: &[u8]) -> Option<i64> {
    match word.strip_prefix(b"-") {
        Some(digits) => with_sign(decimal_word(digits)?, true),
        None => with_sign(decimal_word(word)?, false),
    }
}

/// A number as text, and how many bytes it has.
#[inline]
pub fn to_decimal(mut number: u64) -> ([u8; 20], usize) {
    let mut bytes = [b'0'; 20];
    let mut from = 20;
    loop {
        from -= 1;
        bytes[from] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            bytes.copy_within(from.., 0);
            return (bytes, 20 - from);
        }
    }
}

/// A number as text, and how many bytes it has.
#[inline]
pub fn to_hex(number: u64) -> ([u8; 20], usize) {
    let mut bytes = [b'0'; 20];
    let len = hex_len(number);
    for (i, byte) in bytes[..len].iter_mut().enumerate() {
        *byte = b"0123456789abcdef"[(number >> (4 * (len - 1 - i)) & 0xF) as usize];
    }
    (bytes, len)
}

/// The number of digits of a number.
#[inline]
pub fn decimal_len(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// The number of hexadecimal digits of a number.
#[inline]
pub fn hex_len(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(4)
}

/// The bytes before a delimiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The delimiter begins here.
    Found(usize),
    /// There is none up to here.
    More(usize),
    /// There is none within the bound, and at least so many bytes.
    TooLong(usize),
}

/// Finds the delimiter of bytes from `at` on, of which there are at most `max`. There is none up to
/// `searched`.
#[inline]
pub fn until(input: &[u8], at: usize, searched: u32, delimiter: &[u8], max: usize) -> Until {
    let window = at + max.min(LONGEST) + delimiter.len();
    let within = &input[..input.len().min(window)];
    // The delimiter may begin in the last bytes that were searched.
    let from = (searched as usize).saturating_sub(delimiter.len() - 1).max(at);
    match search::find(within, from, delimiter) {
        Some(found) => Until::Found(found),
        None if within.len() == window => Until::TooLong(window - at),
        None => Until::More(within.len()),
    }
}

/// Whether a decoder would find `delimiter` before the end of `bytes`, which it follows.
pub fn ends_early(bytes: &[u8], delimiter: &[u8]) -> bool {
    // It may begin in the bytes and end in itself, as `aa` does behind `a`.
    let begins_within =
        |len: usize| bytes.ends_with(&delimiter[..len]) && delimiter.starts_with(&delimiter[len..]);
    search::find(bytes, 0, delimiter).is_some() || (1..delimiter.len()).any(begins_within)
}

/// Whether `word` can be a word of a line: it has a byte, and no space.
pub fn is_word(word: &[u8]) -> bool {
    !word.is_empty() && !word.contains(&b' ')
}

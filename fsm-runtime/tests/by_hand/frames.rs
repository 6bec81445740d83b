//! Frames expanded by hand: what `#[frame]` should generate for three kinds of protocols.

pub mod block;
pub mod commands;
pub mod requests;

use std::fmt::Debug;

use fsm_runtime::{Decoded, Frame};

use block::{Block, Blocks, BlocksError};
use commands::{Command, Commands, CommandsError};
use requests::{Bulk, BulksError, Requests, RequestsError};

/// What the runtime should have for all frames.
pub mod support {
    use std::fmt;
    use std::marker::PhantomData;

    use fsm_runtime::{Decoded, Frame};

    /// Where `delimiter` begins, if it does not end in the first `searched` bytes.
    #[inline]
    pub fn find(input: &[u8], searched: usize, delimiter: &[u8]) -> Option<usize> {
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
    pub fn literal(input: &[u8], literal: &[u8]) -> Option<bool> {
        if let Some(input) = input.get(..literal.len()) {
            return Some(input == literal);
        }
        if literal.starts_with(input) { None } else { Some(false) }
    }

    /// An unsigned decimal number, without a sign or leading zeros.
    pub fn decimal(text: &[u8]) -> Option<u64> {
        match text {
            [] | [b'0', _, ..] => None,
            digits => digits.iter().try_fold(0_u64, |number, digit| {
                let digit = digit.wrapping_sub(b'0');
                (digit < 10).then_some(digit)?;
                number.checked_mul(10)?.checked_add(digit.into())
            }),
        }
    }

    pub enum Counted {
        /// The number, and where what follows its line end begins.
        Number(u64, usize),
        More(usize),
        None,
    }

    /// A decimal number from `at` to the end of its line, of at most ten digits.
    #[inline]
    pub fn counted(input: &[u8], at: usize) -> Counted {
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
    pub struct Words<'a>(Option<&'a [u8]>);

    impl<'a> Words<'a> {
        pub fn new(line: &'a [u8]) -> Self {
            Self(Some(line))
        }
    }

    impl<'a> Iterator for Words<'a> {
        type Item = &'a [u8];

        fn next(&mut self) -> Option<&'a [u8]> {
            let line = self.0?;
            let Some(end) = memchr::memchr(b' ', line) else {
                self.0 = None;
                return Some(line);
            };
            self.0 = Some(&line[end + 1..]);
            Some(&line[..end])
        }
    }

    /// Frames in a row, which were decoded once and are decoded again as they are asked for.
    pub struct Times<'a, F> {
        bytes: &'a [u8],
        len: usize,
        frames: PhantomData<fn() -> F>,
    }

    impl<'a, F> Times<'a, F> {
        pub fn new(bytes: &'a [u8], len: usize) -> Self {
            Self { bytes, len, frames: PhantomData }
        }

        pub fn len(&self) -> usize {
            self.len
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
    pub struct Items<'a, F>(Times<'a, F>);

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
}

/// What comes of `input` in two pieces, for all cuts, with what `show` keeps of an item. `More` never asks
/// for less than is missing, nor for more than `max`.
fn all_cuts<F: Frame, T: Debug + PartialEq>(
    input: &[u8],
    max: usize,
    show: impl Fn(F::Item<'_>) -> T,
) -> Result<Option<(T, usize)>, F::Error>
where
    F::Error: Debug + PartialEq,
{
    let run = |cuts: &[usize]| {
        let mut decoder = F::default();
        for &end in cuts.iter().chain([&input.len()]) {
            match decoder.decode(&input[..end])? {
                Decoded::Frame(item, used) => return Ok(Some((show(item), used))),
                Decoded::More(total) => assert!((end + 1..=max).contains(&total), "{total}"),
            }
        }
        Ok(None)
    };
    let whole = run(&[]);
    for first in 0..input.len() {
        for second in first..input.len() {
            assert_eq!(run(&[first, second]), whole, "cut at {first} and {second}");
        }
    }
    assert_eq!(run(&(0..input.len()).collect::<Vec<_>>()), whole, "byte by byte");
    whole
}

#[test]
fn f1_a_block_is_what_its_encoding_says_whatever_follows() {
    for body in [&b""[..], b"x", b"some bytes"] {
        let mut bytes = Vec::new();
        let block = Block { kind: 7, body };
        block.encode(&mut bytes).unwrap();
        let len = bytes.len();
        assert_eq!(len, block.encoded_len());
        bytes.extend_from_slice(b"rest");
        let decoded =
            all_cuts::<Blocks, _>(&bytes, Blocks::MAX, |block| (block.kind, block.body.to_vec()));
        assert_eq!(decoded, Ok(Some(((7, body.to_vec()), len))));
    }
    let long = vec![0; (1 << 20) + 1];
    let mut bytes = Vec::new();
    let error = Block { kind: 7, body: &long }.encode(&mut bytes);
    assert_eq!(error, Err(BlocksError::TooLong { field: "body", len: 1_048_577, max: 1_048_576 }));
    assert_eq!(bytes, b"");
}

#[test]
fn f5_what_is_no_block_is_refused_by_its_first_wrong_byte() {
    let refused = |input: &[u8]| all_cuts::<Blocks, _>(input, Blocks::MAX, |block| block.kind);
    assert_eq!(refused(b"\xB1\x0D"), Err(BlocksError::Magic));
    assert_eq!(refused(b"G"), Err(BlocksError::Magic));
    let too_long = BlocksError::TooLong { field: "body", len: 0x0010_0001, max: 0x0010_0000 };
    assert_eq!(refused(b"\xB1\x0C\x01\x00\x10\x00\x01"), Err(too_long));
    assert_eq!(refused(b"\xB1\x0C\x01\x00\x10\x00\x00"), Ok(None));
}

#[test]
fn f3_commands_are_the_same_however_they_are_cut() {
    let decoded = |input: &[u8]| {
        all_cuts::<Commands, _>(input, Commands::MAX, |command| match command {
            Command::Put { priority, body } => (priority, body.to_vec()),
            Command::Use { tube } => (0, tube.into()),
            Command::Reserve => (0, Vec::new()),
        })
    };
    assert_eq!(decoded(b"put 9 3\r\na\r\n\r\nuse"), Ok(Some(((9, b"a\r\n".to_vec()), 14))));
    assert_eq!(decoded(b"use tube\r\n"), Ok(Some(((0, b"tube".to_vec()), 10))));
    assert_eq!(decoded(b"reserve\r\nreserve\r\n"), Ok(Some(((0, Vec::new()), 9))));
    assert_eq!(decoded(b"put 9 3\r\nab"), Ok(None));
    for (input, error) in [
        (&b"take\r\n"[..], CommandsError::Tag),
        (b"\r\n", CommandsError::Tag),
        (b"put 1\r\n", CommandsError::Missing { field: "len" }),
        (b"put -1 1\r\n", CommandsError::Number { field: "priority" }),
        (b"put 4294967296 1\r\n", CommandsError::Number { field: "priority" }),
        (b"put 1 99999999999999999999\r\n", CommandsError::Number { field: "len" }),
        (b"put 1 65537\r\n", CommandsError::TooLong { field: "body", len: 65_537, max: 65_536 }),
        (b"put 1 2\r\nabc\r\n", CommandsError::Then { field: "body" }),
        (b"reserve now\r\n", CommandsError::Surplus),
        (b"use \xFF\r\n", CommandsError::Utf8 { field: "tube" }),
    ] {
        assert_eq!(decoded(input), Err(error), "{}", input.escape_ascii());
    }
    let line = [b'x'; 226];
    let too_long = CommandsError::TooLong { field: "line", len: 226, max: 224 };
    assert_eq!(Commands::default().decode(&line), Err(too_long));
}

#[test]
fn f4_a_repetition_lends_its_items() {
    let decoded = |input: &[u8]| {
        all_cuts::<Requests, _>(input, Requests::MAX, |request| {
            let bulks = request.arguments.into_iter().map(|Bulk { bytes }| bytes.to_vec());
            let bulks: Vec<_> = bulks.collect();
            assert_eq!(bulks.len(), request.arguments.len());
            bulks
        })
    };
    let get = b"*2\r\n$3\r\nGET\r\n$4\r\n\r\n$1\r\n*1";
    assert_eq!(decoded(get), Ok(Some((vec![b"GET".to_vec(), b"\r\n$1".to_vec()], 23))));
    assert_eq!(decoded(b"*0\r\n"), Ok(Some((vec![], 4))));
    assert_eq!(decoded(b"*1\r\n$1\r\na\r"), Ok(None));
    let bulk = RequestsError::Arguments;
    for (input, error) in [
        (&b"PING\r\n"[..], RequestsError::Kind),
        (b"*x\r\n", RequestsError::Number { field: "count" }),
        (b"*01\r\n", RequestsError::Number { field: "count" }),
        (b"*99999999999\r\n", RequestsError::Number { field: "count" }),
        (b"*65\r\n", RequestsError::TooMany { field: "arguments", len: 65, max: 64 }),
        (b"*1\r\n:1\r\n", bulk(BulksError::Kind)),
        (b"*1\r\n$2\r\nabc\r\n", bulk(BulksError::Then { field: "bytes" })),
        (
            b"*1\r\n$524289\r\n",
            bulk(BulksError::TooLong { field: "bytes", len: 524_289, max: 524_288 }),
        ),
    ] {
        assert_eq!(decoded(input), Err(error), "{}", input.escape_ascii());
    }
}

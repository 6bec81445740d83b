//! A frame of fixed integers and counted bytes.
//!
//! The struct has no fields for `magic` and `len`, which follow from others.

use std::fmt;

use fsm_runtime::{Decoded, Frame};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    pub(crate) kind: u8,
    pub(crate) body: &'a [u8],
}

#[derive(Debug, Default)]
pub(crate) struct Blocks;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlocksError {
    Magic,
    TooLong { field: &'static str, len: u64, max: u64 },
}

impl fmt::Display for BlocksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => f.write_str("magic is not 0xb10c"),
            Self::TooLong { field, len, max } => {
                write!(f, "the length of {field} is {len}, and at most {max}")
            }
        }
    }
}

impl Blocks {
    /// The literals of a fixed part that has not come as a whole, as far as it has come.
    #[cold]
    fn part(input: &[u8]) -> Result<usize, BlocksError> {
        if input.iter().zip(&[0xB1, 0x0C]).any(|(byte, is)| byte != is) {
            return Err(BlocksError::Magic);
        }
        Ok(7)
    }
}

impl Frame for Blocks {
    type Item<'a> = Block<'a>;
    type Error = BlocksError;

    #[inline]
    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Block<'a>>, BlocksError> {
        let Some(&[magic_0, magic_1, kind, len_0, len_1, len_2, len_3]) = input.first_chunk()
        else {
            return Self::part(input).map(Decoded::More);
        };
        if u16::from_be_bytes([magic_0, magic_1]) != 0xB10C {
            return Err(BlocksError::Magic);
        }
        let len = u32::from_be_bytes([len_0, len_1, len_2, len_3]);
        if u64::from(len) > 1 << 20 {
            return Err(BlocksError::TooLong { field: "body", len: len.into(), max: 1 << 20 });
        }
        let end = 7 + len as usize;
        Ok(match input.get(7..end) {
            Some(body) => Decoded::Frame(Block { kind, body }, end),
            None => Decoded::More(end),
        })
    }
}

impl Block<'_> {
    /// Appends the frame, or nothing if a part of it is longer than it may be.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), BlocksError> {
        let Some(len) = u32::try_from(self.body.len()).ok().filter(|len| *len <= 1 << 20) else {
            let len = self.body.len() as u64;
            return Err(BlocksError::TooLong { field: "body", len, max: 1 << 20 });
        };
        let [len_0, len_1, len_2, len_3] = len.to_be_bytes();
        out.extend_from_slice(&[0xB1, 0x0C, self.kind, len_0, len_1, len_2, len_3]);
        out.extend_from_slice(self.body);
        Ok(())
    }
}

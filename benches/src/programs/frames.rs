//! Frames that are declared, and the same ones by hand: decoded and encoded in memory.

use std::hint::black_box;

use fsm_runtime::{Decoded, Encode, Frame};

mod by_hand;
mod declared;

/// The way in which the decoder and the encoder are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Made {
    Declared,
    ByHand,
}

/// The frames, and what is done to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Work {
    /// Decodes GETs of RESP2, and looks at both arguments.
    Get,
    /// Decodes fixed integers and 64 counted bytes.
    Block,
    /// Decodes a line of three words, and ten bytes behind it.
    Put,
    /// Encodes fixed integers and 64 bytes.
    EncodeBlock,
}

/// Decodes or encodes frames `rounds` times, `depth` in a row; returns a number that all of them make.
pub(crate) fn run(made: Made, work: Work, depth: u32, rounds: u64) -> usize {
    let depth = depth as usize;
    let gets = b"*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000123\r\n".repeat(depth);
    let blocks = [b"\xB1\x0C\x03\0\0\0\x40", &[7; 64][..]].concat().repeat(depth);
    let puts = b"put 1024 10\r\n0123456789\r\n".repeat(depth);
    match (made, work) {
        (Made::Declared, Work::Get) => decode::<declared::Requests>(&gets, rounds, |request| {
            request.arguments.into_iter().map(|bulk| bulk.bytes.len()).sum()
        }),
        (Made::ByHand, Work::Get) => {
            decode::<by_hand::requests::Requests>(&gets, rounds, |request| {
                request.arguments.into_iter().map(|bulk| bulk.bytes.len()).sum()
            })
        }
        (Made::Declared, Work::Block) => {
            decode::<declared::Blocks>(&blocks, rounds, |block| block.body.len())
        }
        (Made::ByHand, Work::Block) => {
            decode::<by_hand::block::Blocks>(&blocks, rounds, |block| block.body.len())
        }
        (Made::Declared, Work::Put) => decode::<declared::Commands>(&puts, rounds, |command| {
            use declared::Command;
            match command {
                Command::Put { priority, body } => priority as usize + body.len(),
                Command::Use { tube } => tube.len(),
                Command::Reserve => 0,
            }
        }),
        (Made::ByHand, Work::Put) => {
            use by_hand::commands::{Command, Commands};
            decode::<Commands>(&puts, rounds, |command| match command {
                Command::Put { priority, body } => priority as usize + body.len(),
                Command::Use { tube } => tube.len(),
                Command::Reserve => 0,
            })
        }
        (Made::Declared, Work::EncodeBlock) => {
            encode(depth, rounds, |body, out| declared::Block { kind: 3, body }.encode(out).is_ok())
        }
        (Made::ByHand, Work::EncodeBlock) => encode(depth, rounds, |body, out| {
            by_hand::block::Block { kind: 3, body }.encode(out).is_ok()
        }),
    }
}

fn decode<F: Frame>(input: &[u8], rounds: u64, look: impl Fn(F::Item<'_>) -> usize) -> usize {
    let mut sum = 0;
    for _ in 0..rounds {
        let mut left = black_box(input);
        while let Ok(Decoded::Frame(item, used)) = F::default().decode(left) {
            sum += look(item);
            left = &left[used..];
        }
        assert!(left.is_empty(), "the input consists of frames");
    }
    sum
}

fn encode(depth: usize, rounds: u64, put: impl Fn(&[u8], &mut Vec<u8>) -> bool) -> usize {
    let (mut out, mut sum) = (Vec::with_capacity(depth * 100), 0);
    for _ in 0..rounds {
        out.clear();
        for _ in 0..depth {
            assert!(put(black_box(&[7; 64]), &mut out), "64 bytes are not too many");
        }
        sum += black_box(&out).len();
    }
    sum
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn both_ways_do_the_same() {
        for work in Work::value_variants() {
            let made = Made::value_variants().iter().map(|made| run(*made, *work, 3, 2));
            let made: Vec<usize> = made.collect();
            assert_eq!(made[0], made[1], "{work:?}");
            assert!(made[0] > 0, "{work:?}");
        }
    }
}

//! A frame names all that it uses by its path.

#![no_implicit_prelude]

use ::fsm_runtime::{Decoded, Encode, Frame, frame};
use ::std::assert_eq;
use ::std::prelude::v1::{Default, Ok, Some, Vec};

#[frame(Commands, line = b"\r\n" | b"\n", max = 224)]
#[derive(::std::fmt::Debug, ::std::cmp::PartialEq)]
enum Command<'a> {
    #[is("put")]
    Put {
        number: ::std::option::Option<u64>,
    },
    #[other]
    Other {
        #[rest]
        line: &'a str,
    },
}

#[frame(Blocks)]
#[derive(::std::fmt::Debug, ::std::cmp::PartialEq)]
struct Block<'a> {
    #[is(0xB10C)]
    magic: u16,
    #[decimal]
    number: i32,
    #[until(b"\n", max = 10)]
    text: &'a str,
    len: u24,
    #[bytes(len <= 1MiB)]
    body: &'a [u8],
}

fn main() {
    let put = Command::Put { number: Some(7) };
    assert_eq!(Commands::default().decode(b"put 7\n"), Ok(Decoded::Frame(put, 6)));
    let mut out = Vec::new();
    let block = Block { number: -7, text: "x", body: b"abc" };
    assert_eq!(block.encode(&mut out), Ok(()));
    assert_eq!(Blocks::default().decode(&out), Ok(Decoded::Frame(block, out.len())));
}

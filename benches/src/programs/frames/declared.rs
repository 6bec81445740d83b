//! The frames of [`by_hand`](super::by_hand), declared.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
pub(crate) struct Block<'a> {
    #[is(0xB10C)]
    magic: u16,
    pub(crate) kind: u8,
    len: u32,
    #[bytes(len <= 1MiB)]
    pub(crate) body: &'a [u8],
}

#[frame(Commands, line = b"\r\n", max = 224)]
pub(crate) enum Command<'a> {
    #[is("put")]
    Put {
        priority: u32,
        len: u32,
        #[bytes(len <= 64KiB, then = b"\r\n")]
        body: &'a [u8],
    },
    #[is("use")]
    Use { tube: &'a str },
    #[is("reserve")]
    Reserve,
}

#[frame(Bulks)]
pub(crate) struct Bulk<'a> {
    #[is(b'$')]
    kind: u8,
    #[decimal(then = b"\r\n")]
    len: u32,
    #[bytes(len <= 512KiB, then = b"\r\n")]
    pub(crate) bytes: &'a [u8],
}

#[frame(Requests)]
pub(crate) struct Request<'a> {
    #[is(b'*')]
    kind: u8,
    #[decimal(then = b"\r\n")]
    count: u32,
    #[times(count <= 64)]
    pub(crate) arguments: Times<'a, Bulks>,
}

//! A derive above the frame sees the fields that are not kept.
//! Plants E0609.

use fsm_runtime::prelude::*;

#[derive(Debug)]
//~-
#[frame(Blocks)]
//~+ #[derive(Debug)]
pub struct Block<'a> {
    pub kind: u8,
    len: u32,
    #[bytes(len <= 1MiB)]
    pub body: &'a [u8],
}

fn main() {}

//! Something follows the rest.
//! Plants fsm::E112.

use fsm_runtime::prelude::*;

#[frame(Datagrams)]
pub struct Datagram<'a> {
    len: u16,
    #[part(len <= 1KiB)]
    pub kind: u8,
    //~+ pub crc: u32,
    #[rest]
    pub body: &'a [u8],
    pub crc: u32,
    //~-
}

fn main() {}

//! Nothing says when an optional field is there.
//! Plants fsm::E113.

use fsm_runtime::prelude::*;

#[frame(Publishes)]
pub struct Publish {
    pub flags: u8,
    //~+ #[when(flags & 6 != 0)]
    pub id: Option<u16>,
}

fn main() {}

//! A field that is not always there, and is no `Option`.
//! Plants fsm::E113.

use fsm_runtime::prelude::*;

#[frame(Publishes)]
pub struct Publish {
    pub flags: u8,
    #[when(flags & 6 != 0)]
    pub id: u16,
    //~ pub id: Option<u16>,
}

fn main() {}

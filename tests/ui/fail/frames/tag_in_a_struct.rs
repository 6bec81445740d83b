//! A tag in a struct.
//! Plants fsm::E119.

use fsm_runtime::prelude::*;

#[frame(Joins)]
pub struct Join {
    #[tag]
    //~-
    pub kind: u8,
    pub user: u32,
}

fn main() {}

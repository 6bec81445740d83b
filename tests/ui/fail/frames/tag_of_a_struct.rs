//! A struct with a tag.
//! Plants fsm::E119.

use fsm_runtime::prelude::*;

#[frame(Joins, tag = u8)]
//~ #[frame(Joins)]
pub struct Join {
    //~+ #[is(1)]
    //~+ kind: u8,
    pub user: u32,
}

fn main() {}

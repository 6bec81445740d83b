//! A field that is conditional.
//! Plants fsm::E019.

use fsm_runtime::prelude::*;

#[frame(Joins)]
pub struct Join {
    pub user: u32,
    #[cfg(unix)]
    //~-
    pub group: u32,
}

fn main() {}

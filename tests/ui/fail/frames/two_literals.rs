//! A field that is always one of two values.
//! Plants fsm::E017.

use fsm_runtime::prelude::*;

#[frame(Hellos)]
pub struct Hello {
    #[is(4 | 5)]
    //~ #[is(5)]
    version: u8,
    pub methods: u8,
}

fn main() {}

//! A frame without a variant.
//! Plants fsm::E118.

use fsm_runtime::prelude::*;

#[frame(Events, tag = u8)]
pub enum Event {
    //~+ #[is(1)]
    //~+ Ping,
}

fn main() {}

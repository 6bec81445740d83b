//! A frame is no function.
//! Plants fsm::E100.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
//~-
pub fn block() {}

fn main() {}

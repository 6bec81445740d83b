//! The attribute is on something that is no type.
//! Plants fsm::E001.

use fsm_runtime::prelude::*;

#[state_machine(start = Length)]
//~-
fn upload() {}

fn main() {}

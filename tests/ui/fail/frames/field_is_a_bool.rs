//! A truth value outside of a line.
//! Plants fsm::E103.

use fsm_runtime::prelude::*;

#[frame(Switches)]
pub struct Switch {
    pub number: u8,
    pub on: bool,
    //~ pub on: u8,
}

fn main() {}

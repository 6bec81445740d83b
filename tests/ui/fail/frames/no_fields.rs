//! A frame without a byte.
//! Plants fsm::E118.

use fsm_runtime::prelude::*;

#[frame(Pings)]
pub struct Ping;
//~ pub struct Ping { number: u8 }

fn main() {}

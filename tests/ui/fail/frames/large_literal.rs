//! A literal that does not fit its field.
//! Plants fsm::E111.

use fsm_runtime::prelude::*;

#[frame(Hellos)]
pub struct Hello {
    #[is(0xB10C)]
    magic: u8,
    //~ magic: u16,
    pub version: u8,
}

fn main() {
    let _ = Hello { version: 1 }.encoded_len();
}

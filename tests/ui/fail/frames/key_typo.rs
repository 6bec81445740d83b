//! A typo in a key.
//! Plants fsm::E010.

use fsm_runtime::prelude::*;

#[frame(Commands, lin = b"\r\n", max = 224)]
//~ #[frame(Commands, line = b"\r\n", max = 224)]
pub enum Command<'a> {
    #[is("use")]
    Use { tube: &'a str },
    #[is("reserve")]
    Reserve,
}

fn main() {
    let _ = Command::Reserve.encoded_len();
    let _ = Commands::default();
}

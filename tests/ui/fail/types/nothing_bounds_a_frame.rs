//! The decoder says no bound, and the state neither.
//! Plants fsm::E050.

use fsm_runtime::prelude::*;

#[state_machine(start = Wait, eof => Gone)]
enum Talk {
    #[read(frame = Byte, idle = 5min => Gone)]
    //~ #[read(frame = Byte, max = 1KiB, limit => Gone, idle = 5min => Gone)]
    #[to(Gone)]
    Wait,
    #[end]
    Gone,
}

#[derive(Default)]
struct Byte;

impl Frame for Byte {
    type Item<'a> = u8;
    type Error = std::convert::Infallible;

    fn decode(&mut self, input: &[u8]) -> Result<Decoded<u8>, Self::Error> {
        Ok(input.first().map_or(Decoded::More(1), |byte| Decoded::Frame(*byte, 1)))
    }
}

fn main() {}

//! Every event that can come to a state has an answer.

use fsm_runtime::prelude::*;

#[derive(Default)]
struct Codec;

impl Frame for Codec {
    type Item<'a> = ();
    type Error = std::num::ParseIntError;

    fn decode<'a>(&mut self, _: &'a [u8]) -> Result<Decoded<()>, Self::Error> {
        Ok(Decoded::More(1))
    }
}

#[state_machine(start = Line, error = std::io::Error)]
enum Events {
    #[read(until = b"\n", max = 1KiB)]
    #[to(Line | Frame | Waits)]
    Line,
    #[read(frame = Codec, max = 1KiB, within = 5s => Gone)]
    #[to(Line)]
    Frame,
    #[drain(below = 1KiB, error => Gone)]
    #[to(Line)]
    Waits,
    #[end]
    Gone,
}

fn main() {}

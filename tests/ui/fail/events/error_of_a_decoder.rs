//! What a decoder refuses is called an error.
//! Plants fsm::E064.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Talk {
    #[read(frame = Byte, max = 80, idle = 60s => Gone, error => Gone)]
    //~ #[read(frame = Byte, max = 80, idle = 60s => Gone, refused => Gone)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

#[derive(Default)]
struct Byte;

impl Frame for Byte {
    type Item<'a> = u8;
    type Error = std::fmt::Error;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<u8>, Self::Error> {
        let Some(&byte) = input.first() else { return Ok(Decoded::More(1)) };
        Ok(Decoded::Frame(byte, 1))
    }
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, _: u8, _: &mut Cx<'_>) -> talk::AfterLine {
        talk::AfterLine::Line
    }
}

fn main() {}

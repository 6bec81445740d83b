//! A decoder may refuse its input, and nothing says where that leads.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(frame = Byte, max = 1KiB, limit => Gone, idle = 5min => Gone)]
    //~ #[read(frame = Byte, max = 1KiB, limit => Gone, refused => Gone, idle = 5min => Gone)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, _: u8, _: &mut Cx<'_>) -> talk::AfterLine {
        talk::AfterLine::Line
    }
}
#[derive(Default)]
struct Byte;

impl fsm_runtime::Frame for Byte {
    type Item<'a> = u8;
    type Error = std::fmt::Error;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<fsm_runtime::Decoded<u8>, Self::Error> {
        let Some(&byte) = input.first() else { return Ok(fsm_runtime::Decoded::More(1)) };
        Ok(fsm_runtime::Decoded::Frame(byte, 1))
    }
}

fn main() {}

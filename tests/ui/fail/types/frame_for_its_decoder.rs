//! A state reads with the frame, where its decoder is meant.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
struct Block<'a> {
    len: u32,
    #[bytes(len <= 64KiB)]
    body: &'a [u8],
}

#[state_machine(start = Next, eof => Gone, refused => Gone)]
enum Upload {
    #[read(frame = Block, idle = 5min => Gone)]
    //~ #[read(frame = Blocks, idle = 5min => Gone)]
    #[to(Next)]
    Next,
    #[end]
    Gone,
}

struct Client;

impl upload::Handler for Client {
    fn next(&mut self, block: Block<'_>, cx: &mut Cx<'_>) -> upload::AfterNext {
        cx.write(block.body);
        upload::AfterNext::Next
    }
}

fn main() {}

//! The decoder is not typed yet.
//! Plants fsm::E013.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Length, eof => Closed)]
pub enum Upload {
    /// Waits for the length.
    #[read(frame =, max = 1KiB, limit => Closed, refused => Closed, within = 30s => Closed)]
    #[to(Body | Closed)]
    #[rest]
    Length,
    #[read(upto = left, max = 64KiB, within = 30s => Closed)]
    #[to(Length | Body)]
    Body { left: u64 },
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: Option<char>, _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Body { left: 8 }
    }

    fn body(&mut self, left: &mut u64, bytes: &[u8], _: &mut Cx<'_>) -> upload::AfterBody {
        *left -= bytes.len() as u64;
        upload::AfterBody::Body
    }
}

fn main() {
    let mut session = Session::<Upload, _>::new(Client);
    session.send(b"12345678");
    assert_eq!(Upload::SPEC.name, "Upload");
}

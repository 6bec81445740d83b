use fsm_runtime::prelude::*;

use crate::error::Error;
use crate::servers::fsm_pool;
use crate::servers::listener::ANY_PORT;

pub(super) fn serve() -> Result<(), Error> {
    let pool = Pool::builder::<Upload>("upload").listen(ANY_PORT).handler(|_peer| Client);
    fsm_pool::serve(pool.start()?)
}

/// A client's connection.
#[state_machine(start = Length, eof => Closed)]
enum Upload {
    /// Waits for the length of the next body.
    #[read(exact = 8, idle = 5min => Closed)]
    #[to(Body)]
    #[rest]
    Length,

    /// Receives the body in chunks.
    #[read(upto = left, max = 64KiB, idle = 30s => Closed, within = 10min => Closed)]
    #[to(Body | Sent)]
    Body { left: u64, taken: u64 },

    /// Waits until the answer is sent.
    #[flush(within = 30s => Closed)]
    #[to(Length)]
    Sent,

    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, length: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Body { left: u64::from_be_bytes(*length), taken: 0 }
    }

    fn body(
        &mut self,
        left: &mut u64,
        taken: &mut u64,
        chunk: &[u8],
        cx: &mut Cx<'_>,
    ) -> upload::AfterBody {
        *left -= chunk.len() as u64;
        *taken += chunk.len() as u64;
        if *left > 0 {
            return upload::AfterBody::Body;
        }
        cx.write(&taken.to_be_bytes());
        upload::AfterBody::Sent
    }
}

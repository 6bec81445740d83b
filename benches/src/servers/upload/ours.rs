use fsm_runtime::prelude::*;

use crate::Error;
use crate::servers::pool;

pub(crate) fn serve() -> Result<(), Error> {
    let pool = Pool::builder::<Upload>("upload").listen(pool::ANY).handler(|_peer| Client);
    pool::serve(pool)
}

/// A client's connection.
#[state_machine(start = Length, eof => Closed)]
enum Upload {
    /// Waits for the length of the next body.
    #[read(exact = 8, idle = 5min => Closed)]
    #[to(Body)]
    #[rest]
    Length,

    /// Takes the body as it comes.
    #[read(upto = left, max = 64KiB, idle = 30s => Closed, within = 10min => Closed)]
    #[to(Body | Sent)]
    Body { left: u64, taken: u64 },

    /// Waits until the answer has left.
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

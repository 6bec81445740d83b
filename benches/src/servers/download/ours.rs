use fsm_runtime::bytes::Bytes;
use fsm_runtime::prelude::*;

use super::chunk;
use crate::error::Error;
use crate::servers::fsm_pool;
use crate::servers::listener::ANY_PORT;

pub(super) fn serve() -> Result<(), Error> {
    let pool = Pool::builder::<Download>("download").listen(ANY_PORT).handler(|_peer| Client);
    fsm_pool::serve(pool.start()?)
}

/// A client's connection.
#[state_machine(start = Length, eof => Closed)]
enum Download {
    /// Waits for the length of the next download.
    #[read(exact = 8, idle = 5min => Closed)]
    #[to(Sending)]
    #[rest]
    Length,

    /// Sends more when less than 64 KiB is unsent.
    #[writable(below = 64KiB, idle = 30s => Closed)]
    #[to(Sending | Length)]
    Sending { left: u64 },

    #[end]
    Closed,
}

struct Client;

impl download::Handler for Client {
    fn length(&mut self, length: &[u8; 8], _: &mut Cx<'_>) -> download::AfterLength {
        download::AfterLength::Sending { left: u64::from_be_bytes(*length) }
    }

    fn sending(&mut self, left: &mut u64, cx: &mut Cx<'_>) -> download::AfterSending {
        let bytes = chunk(*left);
        cx.send(Bytes::from_static(bytes));
        *left -= bytes.len() as u64;
        if *left > 0 { download::AfterSending::Sending } else { download::AfterSending::Length }
    }
}

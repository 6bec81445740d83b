use fsm_runtime::prelude::*;

use crate::error::Error;
use crate::servers::fsm_pool;

/// The machine of the example `echo`.
#[state_machine(start = Talk, eof => Gone)]
enum Echo {
    /// Sends received bytes back.
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    /// The client has left, or was idle for a minute.
    #[end]
    Gone,
}

struct Client;

impl echo::Handler for Client {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
        cx.write(bytes);
        echo::AfterTalk::Talk
    }
}

pub(super) fn serve() -> Result<(), Error> {
    let pool = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").max_connections(20_000);
    fsm_pool::serve(pool.handler(|_peer| Client).start()?)
}

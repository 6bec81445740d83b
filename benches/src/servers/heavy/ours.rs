use fsm_runtime::prelude::*;

use super::compute;
use crate::error::Error;
use crate::servers::fsm_pool;

#[state_machine(start = Request, eof => Gone)]
enum Heavy {
    #[read(exact = 64, idle = 60s => Gone)]
    #[to(Request)]
    #[rest]
    Request,
    #[end]
    Gone,
}

struct Client;

impl heavy::Handler for Client {
    fn request(&mut self, request: &[u8; 64], cx: &mut Cx<'_>) -> heavy::AfterRequest {
        compute(request);
        cx.write(request);
        heavy::AfterRequest::Request
    }
}

/// Serves with one port and `threads` threads, all of which may run at a time.
pub(super) fn serve(threads: usize) -> Result<(), Error> {
    let pool =
        Pool::builder::<Heavy>("heavy").listen("127.0.0.1:0").threads(threads).max_running(threads);
    fsm_pool::serve(pool.handler(|_peer| Client).start()?)
}

use fsm_runtime::Address;
use fsm_runtime::prelude::*;

use super::compute;
use crate::Error;
use crate::servers::announce;

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

/// One port, with so many threads, which may all run.
pub(super) fn serve(threads: usize) -> Result<(), Error> {
    let pool =
        Pool::builder::<Heavy>("heavy").listen("127.0.0.1:0").threads(threads).max_running(threads);
    let running = pool.handler(|_peer| Client).start()?;
    for address in running.addresses() {
        if let Address::Tcp(address) = address {
            announce(*address)?;
        }
    }
    running.join()?;
    Ok(())
}

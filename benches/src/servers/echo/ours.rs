use fsm_runtime::Address;
use fsm_runtime::prelude::*;

use crate::Error;
use crate::servers::announce;

/// The machine of the example `echo`.
#[state_machine(start = Talk, eof => Gone)]
enum Echo {
    /// Sends back whatever comes.
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    /// The client has left, or said nothing for a minute.
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

pub(crate) fn serve() -> Result<(), Error> {
    let pool = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").max_connections(20_000);
    let running = pool.handler(|_peer| Client).start()?;
    for address in running.addresses() {
        if let Address::Tcp(address) = address {
            announce(*address)?;
        }
    }
    running.join()?;
    Ok(())
}

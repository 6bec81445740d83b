use std::net::SocketAddr;

use fsm_runtime::prelude::*;

use crate::error::Error;
use crate::servers::fsm_pool;
use crate::servers::listener::ANY_PORT;

pub(super) fn serve(target: SocketAddr) -> Result<(), Error> {
    let pool = Pool::builder::<Tunnel>("tunnel").listen(ANY_PORT);
    let pool = pool.handler(move |_peer| Client { target: target.into() });
    fsm_pool::serve(pool.start()?)
}

#[state_machine(start = Hello)]
enum Tunnel {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(within = 5s => Gone, refused => Gone)]
    #[to(Joined)]
    Dial,
    #[relay(max = 64KiB, idle = 1h => Gone, eof = 30s => Gone, gone => Gone)]
    #[to(Gone)]
    Joined,
    #[end]
    Gone,
}

struct Client {
    target: Target,
}

impl tunnel::Handler for Client {
    fn hello(&mut self, _: &mut Cx<'_>) -> tunnel::AfterHello {
        tunnel::AfterHello::Dial { to: self.target.clone() }
    }

    fn dial(&mut self, _: Connected, _: &mut Cx<'_>) -> tunnel::AfterDial {
        tunnel::AfterDial::Joined
    }

    fn joined(&mut self, _: Moved, _: &mut Cx<'_>) -> tunnel::AfterJoined {
        tunnel::AfterJoined::Gone
    }
}

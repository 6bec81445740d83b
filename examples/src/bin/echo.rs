//! Echo, the smallest machine: a server that sends back all input.
//!
//! Start it with `cargo run --release --bin echo`, then type lines into `nc 127.0.0.1 7007`.

use fsm_runtime::prelude::*;

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

fn main() -> Result<(), PoolError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7007".to_owned());
    Pool::builder::<Echo>("echo").listen(address).handler(|_peer| Client).run()
}

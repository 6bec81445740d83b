//! Echo, the smallest machine: a server that sends back all input.
//!
//! Start it with `cargo run --release --bin echo`, then type lines into `nc 127.0.0.1 7007`.

use clap::Parser;
use fsm_examples::Serving;
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

/// Sends back all input
#[derive(Parser)]
#[command(name = "echo", version, after_help = "Try: nc 127.0.0.1 7007")]
struct Options {
    #[command(flatten)]
    serving: Serving<7007>,
}

fn main() -> Result<(), PoolError> {
    let Options { serving } = Options::parse();
    let _log = serving.start_log()?;
    serving.pool(Pool::builder::<Echo>("echo")).handler(|_peer| Client).run()
}

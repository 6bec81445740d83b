use fsm_runtime::Running;
use fsm_runtime::prelude::*;
use rustls::ServerConfig;

use crate::certificate::Certificate;
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
    fsm_pool::serve(start(None)?)
}

pub(in crate::servers) fn serve_encrypted(config: ServerConfig) -> Result<(), Error> {
    fsm_pool::serve(start(Some(config))?)
}

/// A pool in this process, whose connections use TLS with this certificate, if there is one.
pub(crate) fn pool(certificate: Option<&Certificate>) -> Result<Running, Error> {
    start(certificate.map(Certificate::server).transpose()?)
}

fn start(config: Option<ServerConfig>) -> Result<Running, Error> {
    let pool = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").max_connections(20_000);
    let pool = match config {
        None => pool.handler(|_peer| Client),
        Some(config) => pool.tls(config).handler(|_peer| Client),
    };
    Ok(pool.start()?)
}

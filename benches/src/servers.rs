//! The servers that the lab measures, each in a process of its own.

use crate::error::Error;
use crate::peer::Peer;

mod compio_tasks;
mod download;
mod echo;
mod fsm_pool;
mod heavy;
mod listener;
mod mio_loop;
mod resp;
mod room;
mod shed;
mod tls_echo;
mod tokio_tasks;
mod tunnel;
mod upload;

pub(crate) use self::echo::pool as echo_pool;
pub(crate) use self::tunnel::TARGET as TUNNEL_TARGET;

/// Serves a workload until SIGTERM ends this process.
pub(crate) fn serve(workload: &str, peer: Peer, threads: usize) -> Result<(), Error> {
    match workload {
        "download" => download::serve(peer, threads),
        "echo" => echo::serve(peer, threads),
        "heavy" => heavy::serve(peer, threads),
        "resp" => resp::serve(peer, threads),
        "room" => room::serve(peer),
        "shed" => shed::serve(peer),
        "tls-echo" => tls_echo::serve(peer),
        "tunnel" => tunnel::serve(peer),
        "upload" => upload::serve(peer, threads),
        _ => Err(Error::failed(format!("no workload is called `{workload}`"))),
    }
}

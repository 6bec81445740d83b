use std::io;
use std::net::SocketAddr;

use super::Server;
use super::protocol::Protocol;
use crate::Upgradable;

/// A `kv` whose connections move to the next process.
pub(super) struct Kv(Upgradable);

impl Kv {
    pub(super) fn start() -> Self {
        Self(Upgradable::start("kv", |command| {
            command.args(["--max-connections", "19000"]);
        }))
    }
}

impl Server for Kv {
    fn address(&self) -> SocketAddr {
        self.0.address()
    }

    fn protocol(&self) -> Protocol {
        Protocol::Resp
    }

    fn restart(&mut self) -> io::Result<()> {
        self.0.upgrade();
        Ok(())
    }
}

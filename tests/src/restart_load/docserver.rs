use std::io;
use std::net::SocketAddr;
use std::process::Command;

use super::Server;
use super::protocol::Protocol;
use crate::server::Server as Process;
use crate::{Connection, Docserver, TempDir, Upgradable, example, put};

const PATH: &str = "/docs/small";
const BODY: &[u8] = b"a small document";

/// A `docserver` that hands over to the next process.
pub(super) struct Upgrading {
    server: Upgradable,
    /// Removed last.
    _data: TempDir,
}

/// A `docserver` that shares its port with the next process, which has a directory of its own.
pub(super) struct Sharing {
    server: Process,
    /// Removed last.
    data: TempDir,
}

impl Upgrading {
    pub(super) fn start() -> io::Result<Self> {
        let data = TempDir::in_memory("restarts");
        let server = Upgradable::try_start("docserver", |command| {
            command.args(["--max-connections", "19000", "--data"]).arg(data.path());
        });
        let server = server.map_err(|failure| io::Error::other(failure.log))?;
        server.connect().ask(put("small", BODY)).expect(201);
        Ok(Self { server, _data: data })
    }
}

impl Server for Upgrading {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn protocol(&self) -> Protocol {
        Protocol::Http(PATH)
    }

    fn restart(&mut self) -> io::Result<()> {
        self.server.upgrade();
        Ok(())
    }
}

impl Sharing {
    pub(super) fn start() -> Self {
        Self::start_at("127.0.0.1:0")
    }

    /// Files a document, and starts a server at an address that another one may have.
    fn start_at(address: &str) -> Self {
        let data = TempDir::in_memory("restarts");
        let filing = Process::start(&mut Docserver::command(data.path()));
        Connection::new(filing.address()).ask(put("small", BODY)).expect(201);
        filing.stop();
        let mut command = Command::new(example("docserver"));
        command.args(["--reuse-port", "--max-connections", "19000", "--listen", address]);
        let server = Process::start(command.arg("--data").arg(data.path()));
        Self { server, data }
    }
}

impl Server for Sharing {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn protocol(&self) -> Protocol {
        Protocol::Http(PATH)
    }

    fn restart(&mut self) -> io::Result<()> {
        let Self { server, data } = Self::start_at(&self.address().to_string());
        std::mem::replace(&mut self.server, server).stop();
        self.data = data;
        Ok(())
    }
}

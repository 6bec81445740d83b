use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::Server;
use super::process::{children, free_address, has_ended, signal, until, wait};
use super::protocol::Protocol;
use crate::TempDir;

/// The time in which an old process should have ended; one that has not goes on beside the new one.
const OLD_ENDS: Duration = Duration::from_secs(3);

/// An `HAProxy` that answers by itself, with a thread.
pub(super) struct Haproxy {
    folder: TempDir,
    address: SocketAddr,
    has_master: bool,
    process: Child,
}

impl Haproxy {
    pub(super) fn start(has_master: bool, at_most: usize) -> io::Result<Self> {
        let (folder, address) = (TempDir::new("haproxy"), free_address()?);
        let socket = folder.path().join("socket");
        folder.write(
            "haproxy.cfg",
            format!(
                "global\n  nbthread 1\n  maxconn {at_most}\n  no strict-limits\n  \
                 stats socket {} mode 600 level admin expose-fd listeners\n\
                 defaults\n  mode http\n  timeout client 1h\n  timeout connect 5s\n  timeout server 5s\n  \
                 timeout http-keep-alive 1h\n\
                 frontend front\n  bind {address} backlog 4096\n  \
                 http-request return status 200 content-type text/plain string \"a small document\"\n",
                socket.display()
            ),
        );
        let process = start_one(&folder, has_master, &[])?;
        until("HAProxy listens", || TcpStream::connect(address).is_ok())?;
        Ok(Self { folder, address, has_master, process })
    }
}

fn start_one(folder: &TempDir, has_master: bool, more: &[&str]) -> io::Result<Child> {
    let debian = PathBuf::from("/usr/sbin/haproxy");
    let mut command = Command::new(if debian.exists() { debian } else { "haproxy".into() });
    command.args(["-q", "-db"]).args(has_master.then_some("-W"));
    command.arg("-f").arg(folder.path().join("haproxy.cfg")).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

impl Server for Haproxy {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn protocol(&self) -> Protocol {
        Protocol::Http("/")
    }

    fn restart(&mut self) -> io::Result<()> {
        let old = self.process.id();
        if self.has_master {
            let workers = children(old);
            signal("USR2", old)?;
            until("there is a new worker", || {
                children(old).iter().any(|it| !workers.contains(it))
            })?;
            wait(OLD_ENDS, || !children(old).iter().any(|it| workers.contains(it)));
            return Ok(());
        }
        let socket = self.folder.path().join("socket");
        let (socket, old_text) = (socket.to_string_lossy(), old.to_string());
        let new = start_one(&self.folder, false, &["-x", &socket, "-sf", &old_text])?;
        let mut before = std::mem::replace(&mut self.process, new);
        if !wait(OLD_ENDS, || has_ended(old)) {
            let _ = before.kill();
        }
        before.wait().map(drop)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        for worker in children(self.process.id()) {
            let _ = signal("KILL", worker);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Server;
use super::process::{children, free_address, has_ended, number_in, signal, until, wait};
use super::protocol::Protocol;
use crate::TempDir;

/// The time in which an old worker should have ended; one that has not goes on beside the new one.
const OLD_ENDS: Duration = Duration::from_secs(3);

/// How nginx is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Reload,
    Upgrade,
    ReusePort,
}

/// An nginx with a worker. It leaves this process, because one that has not ignores SIGUSR2.
pub(super) struct Nginx {
    folder: TempDir,
    address: SocketAddr,
    way: Way,
    at_most: usize,
    /// The number of those that were started.
    started: usize,
    master: u32,
}

impl Nginx {
    pub(super) fn start(way: Way, at_most: usize) -> io::Result<Self> {
        let (folder, address) = (TempDir::new("nginx"), free_address()?);
        folder.write("small", "a small document");
        let mut nginx = Self { folder, address, way, at_most, started: 0, master: 0 };
        nginx.start_one()?;
        Ok(nginx)
    }

    fn start_one(&mut self) -> io::Result<()> {
        let pid = self.pid_file(self.started);
        let file = self.folder.path().join(format!("nginx-{}.conf", self.started));
        fs::write(&file, self.configuration(&pid.to_string_lossy()))?;
        self.started += 1;
        let debian = PathBuf::from("/usr/sbin/nginx");
        let mut command = Command::new(if debian.exists() { debian } else { "nginx".into() });
        command.args(["-e", "stderr", "-p"]).arg(self.folder.path()).arg("-c").arg(file);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("nginx ended with {status}")));
        }
        let master = || number_in(&pid).unwrap_or_default();
        until("nginx has a worker", || !children(master()).is_empty())?;
        self.master = master();
        Ok(())
    }

    fn configuration(&self, pid: &str) -> String {
        let Self { address, at_most, .. } = self;
        let folder = self.folder.path().display();
        let reuse = if self.way == Way::ReusePort { " reuseport" } else { "" };
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let paths = kinds.map(|kind| format!("{kind}_temp_path {folder}/{kind};\n")).concat();
        format!(
            "worker_processes 1;\npid {pid};\nerror_log {folder}/error.log notice;\n\
             events {{ worker_connections {at_most}; }}\n\
             http {{\n{paths}access_log off;\nkeepalive_requests 1000000000;\nkeepalive_timeout 1h;\n\
             server {{ listen {address}{reuse} backlog=4096; root {folder}; }}\n}}\n"
        )
    }

    fn pid_file(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("pid-{number}"))
    }

    fn reload(&self) -> io::Result<()> {
        let old = children(self.master);
        signal("HUP", self.master)?;
        until("there is a new worker", || {
            children(self.master).iter().any(|it| !old.contains(it))
        })?;
        wait(OLD_ENDS, || !children(self.master).iter().any(|it| old.contains(it)));
        Ok(())
    }

    fn upgrade(&mut self) -> io::Result<()> {
        let (old, pid) = (self.master, self.pid_file(0));
        signal("USR2", old)?;
        let new = || number_in(&pid).filter(|&it| it != old);
        until("there is a new master", || new().is_some_and(|it| !children(it).is_empty()))?;
        let new = new().unwrap_or(old);
        self.master = new;
        signal("WINCH", old)?;
        wait(OLD_ENDS, || children(old).iter().all(|&it| it == new));
        signal("QUIT", old)?;
        wait(OLD_ENDS, || has_ended(old));
        Ok(())
    }

    fn replace(&mut self) -> io::Result<()> {
        let old = self.master;
        self.start_one()?;
        signal("QUIT", old)?;
        wait(OLD_ENDS, || has_ended(old));
        Ok(())
    }
}

impl Server for Nginx {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn protocol(&self) -> Protocol {
        Protocol::Http("/small")
    }

    fn restart(&mut self) -> io::Result<()> {
        match self.way {
            Way::Reload => self.reload(),
            Way::Upgrade => self.upgrade(),
            Way::ReusePort => self.replace(),
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its workers.
        let _ = signal("TERM", self.master);
        wait(OLD_ENDS, || has_ended(self.master));
    }
}

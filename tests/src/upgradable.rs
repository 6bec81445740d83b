use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::{Connection, Failure, Server, TIMEOUT, TempDir, example, run, with_sockets};

/// A server, and the processes that follow it. All write to one log.
#[derive(Debug)]
pub struct Upgradable {
    server: Server,
    /// The process that serves.
    pub process: u32,
    /// The number of processes that have waited for a next one.
    waited: usize,
    folder: TempDir,
}

impl Upgradable {
    /// Starts a program of the examples with options that `change` adds.
    pub fn start(name: &str, change: impl FnOnce(&mut Command)) -> Self {
        Self::try_start(name, change).unwrap_or_else(|failure| panic!("{name}: {failure:?}"))
    }

    /// Starts a program that may refuse.
    ///
    /// # Errors
    ///
    /// Returns the status and the log of a program that ends before it listens.
    pub fn try_start(name: &str, change: impl FnOnce(&mut Command)) -> Result<Self, Failure> {
        let folder = TempDir::new("upgrade");
        let mut command = Command::new(example(name));
        command.args(["--port", "0", "--upgrade"]).arg(folder.path().join("upgrade.sock"));
        change(&mut command);
        Self::start_as(&mut command, folder)
    }

    /// A server that listens on a socket which was passed to it, as systemd does. `None` without Python.
    pub fn start_on_passed_socket(name: &str) -> Option<Self> {
        let folder = TempDir::new("upgrade");
        let mut command = Command::new(example(name));
        command.args(["--listen", "fd:main", "--upgrade"]).arg(folder.path().join("upgrade.sock"));
        let mut server = with_sockets("main", &command)?;
        Some(Self::start_as(&mut server, folder).expect("a server that starts"))
    }

    fn start_as(command: &mut Command, folder: TempDir) -> Result<Self, Failure> {
        let server = Server::try_start(command)?;
        let process = server.pid();
        let this = Self { server, process, waited: 1, folder };
        this.waits_for_the_next();
        Ok(this)
    }

    /// The address of its clients.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Connects to the process that serves.
    pub fn connect(&self) -> Connection {
        Connection::new(self.server.address())
    }

    /// The log of all processes.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// The socket at which a new process finds the one that serves.
    pub fn meeting(&self) -> PathBuf {
        self.folder.path().join("upgrade.sock")
    }

    /// The process that was started first.
    pub fn first_process(&self) -> &Server {
        &self.server
    }

    /// Starts a process to take over. Returns its number.
    pub fn begin(&self) -> u32 {
        let started = "started a process to take over process=";
        let before = self.count(started);
        self.signal("USR2");
        self.until(started, |log| log.matches(started).count() > before);
        let log = self.log();
        let last = log.rsplit(started).next().expect("it is there");
        last.split_whitespace()
            .next()
            .and_then(|it| it.parse().ok())
            .expect("a number of a process")
    }

    /// Lets a new process take over. Returns the time in which it took the connections.
    pub fn upgrade(&mut self) -> Duration {
        let process = self.begin();
        self.taken_over(process)
    }

    /// Waits until this process has taken over. Returns the time in which it took the connections.
    pub fn taken_over(&mut self, process: u32) -> Duration {
        let over = format!("a new process has taken over; draining process={process} ");
        self.server.logs(&over);
        (self.process, self.waited) = (process, self.waited + 1);
        self.waits_for_the_next();
        let log = self.log();
        let line = log.lines().find(|line| line.contains(&over)).expect("it is there");
        parse_time(line.split("within=").nth(1).expect("a time"))
    }

    /// Sends a signal to the process that serves.
    pub fn signal(&self, name: &str) {
        kill(name, self.process);
    }

    /// Stops the process that serves, and waits until all have ended, without an error in their log.
    pub fn stop(self) {
        let log = self.end();
        assert!(!log.contains(" ERROR ") && !log.contains("panicked at"), "{log}");
    }

    /// Stops the process that serves, and waits until all have ended. Returns their log.
    pub fn end(mut self) -> String {
        self.signal("TERM");
        self.until("all processes have ended", |log| log.contains("ended pool="));
        // The first process has ended long ago, or has got the signal.
        self.server.wait(TIMEOUT);
        self.log()
    }

    /// Waits until the log is so.
    pub fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let since = Instant::now();
        while !is_so(&self.log()) {
            assert!(since.elapsed() < TIMEOUT, "not so: {what}\n{}", self.log());
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn count(&self, words: &str) -> usize {
        self.log().matches(words).count()
    }

    fn waits_for_the_next(&self) {
        let (words, waited) = ("a new process can take over", self.waited);
        self.until(words, |log| log.matches(words).count() >= waited);
    }
}

impl Drop for Upgradable {
    fn drop(&mut self) {
        // The first process is killed with the server.
        if self.process != self.server.pid() {
            let kill = format!("kill -KILL {} 2>&1", self.process);
            let _ = run(Command::new("sh").args(["-c", &kill]), TIMEOUT);
        }
    }
}

/// Sends a signal to a process.
pub fn kill(name: &str, process: u32) {
    let kill = format!("kill -{name} {process}");
    let ran = run(Command::new("sh").args(["-c", &kill]), TIMEOUT);
    assert!(ran.status.success(), "{kill}: {ran:?}");
}

/// A duration as `Debug` prints it.
fn parse_time(text: &str) -> Duration {
    let text = text.split_whitespace().next().expect("a time");
    let digits = text.find(char::is_alphabetic).expect("a unit");
    let number: f64 = text[..digits].trim_end_matches('\u{b5}').parse().expect("a number");
    let unit = match &text[digits..] {
        "s" => 1.0,
        "ms" => 1e-3,
        _ => 1e-6,
    };
    Duration::from_secs_f64(number * unit)
}

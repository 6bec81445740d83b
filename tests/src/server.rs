use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::{TIMEOUT, example, run};

/// A server process; dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    log: Log,
    /// Disconnected at the end of the server's log.
    ended: Receiver<SocketAddr>,
}

/// A server that ended instead of listening.
#[derive(Debug)]
pub struct Failure {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its log.
    pub log: String,
}

#[derive(Clone, Debug, Default)]
struct Log(Arc<(Mutex<String>, Condvar)>);

impl Server {
    /// Starts `kv` on a free port, with further options.
    pub fn kv(options: &[&str]) -> Self {
        Self::start(Command::new(example("kv")).args(["--port", "0"]).args(options))
    }

    /// Starts a server that logs its TCP address.
    pub fn start(command: &mut Command) -> Self {
        Self::try_start(command).unwrap_or_else(|failure| panic!("{command:?}: {failure:?}"))
    }

    /// Starts a server that may fail.
    ///
    /// # Errors
    ///
    /// Returns the status and the log of a server that ends before it listens.
    pub fn try_start(command: &mut Command) -> Result<Self, Failure> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} should start: {error}"));
        let (log, (sender, ended)) = (Log::default(), channel());
        let stderr = child.stderr.take().expect("it is piped");
        thread::spawn({
            let log = log.clone();
            move || log.follow(stderr, &sender)
        });
        match ended.recv_timeout(TIMEOUT) {
            Ok(address) => Ok(Self { child, address, log, ended }),
            Err(RecvTimeoutError::Disconnected) => {
                let status = child.wait().expect("it can be waited for");
                Err(Failure { status, log: log.text() })
            }
            Err(RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                let _ = child.wait();
                panic!("{command:?} does not listen; its log:\n{}", log.text());
            }
        }
    }

    /// The TCP address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All TCP addresses on which it listens, in the order of its log.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.log.text().lines().filter_map(address_in).collect()
    }

    /// The port on which it listens, as an argument for command lines.
    pub fn port(&self) -> String {
        self.address.port().to_string()
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the log contains these words.
    pub fn logs(&self, words: &str) {
        assert!(self.log.wait_for(words, TIMEOUT), "no `{words}` in:\n{}", self.log());
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The anonymous memory in bytes: heap, stacks and everything not backed by a file.
    pub fn anonymous(&self) -> u64 {
        anonymous(self.pid())
    }

    /// The number of open descriptors.
    pub fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.pid());
        fs::read_dir(&path).unwrap_or_else(|error| panic!("{path}: {error}")).count()
    }

    /// The number of open sockets. Unlike the number of descriptors, it does not count files that
    /// the server's threads open when they first need them.
    pub fn sockets(&self) -> usize {
        let path = format!("/proc/{}/fd", self.pid());
        let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        // Ignore errors, because the server may close a descriptor during the count.
        let links = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
    }

    /// The processor time used so far.
    pub fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        let fields: Vec<_> = stat[stat.rfind(')').expect("a name")..].split(' ').collect();
        let ticks = |i: usize| fields[i].parse::<u64>().expect("a number of ticks");
        // Fields 14 and 15 of proc(5), user and system time; a tick is 10 ms on all Linux systems.
        Duration::from_millis((ticks(12) + ticks(13)) * 10)
    }

    fn proc(&self, file: &str) -> String {
        proc(self.pid(), file)
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.pid());
        let ran = run(Command::new("sh").args(["-c", &kill]), TIMEOUT);
        assert!(ran.status.success(), "{kill}: {ran:?}");
    }

    /// Waits until the server, and each process that writes to its log, has ended.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        match self.ended.recv_timeout(within) {
            Err(RecvTimeoutError::Disconnected) => self.child.wait().expect("it can be waited for"),
            other => panic!("the server did not end within {within:?}: {other:?}"),
        }
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_none()
    }

    /// Stops it with SIGTERM; checks that it ends in time and with success, and that no handler
    /// panicked.
    pub fn stop(self) -> String {
        self.signal("TERM");
        self.ended()
    }

    /// Waits until it ends, after a signal that was sent before: another one would end it at once. Checks
    /// what [`stop`](Self::stop) does.
    pub fn ended(mut self) -> String {
        let status = self.wait(TIMEOUT);
        let log = self.log();
        assert!(status.success(), "the server ended with {status}");
        assert!(
            !log.contains(" ERROR ") && !log.contains("panicked at"),
            "the server logged:\n{log}"
        );
        log
    }
}

/// The TCP address in a line of a log.
fn address_in(line: &str) -> Option<SocketAddr> {
    line.split_once("address=")?.1.split_whitespace().next()?.parse().ok()
}

/// The anonymous memory of a process, in bytes.
pub(crate) fn anonymous(pid: u32) -> u64 {
    let rollup = proc(pid, "smaps_rollup");
    let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("it is in kB");
    kib.trim().parse::<u64>().expect("it is a number") * 1024
}

fn proc(pid: u32, file: &str) -> String {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(30)..];
            eprintln!("the server's log, or the end of it:\n{}", last.join("\n"));
        }
    }
}

impl Log {
    fn text(&self) -> String {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the log contains these words; returns whether it did in time.
    fn wait_for(&self, words: &str, within: Duration) -> bool {
        let (text, more) = &*self.0;
        let text = text.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = more.wait_timeout_while(text, within, |text| !text.contains(words));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Stores all lines, and sends the first TCP address.
    fn follow(&self, stderr: ChildStderr, addresses: &Sender<SocketAddr>) {
        let mut stderr = BufReader::new(stderr);
        let mut line = Vec::new();
        let mut found = false;
        while matches!(stderr.read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line);
            let (log, more) = &*self.0;
            log.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
            more.notify_all();
            if let Some(address) = address_in(&text).filter(|_| !found) {
                found = addresses.send(address).is_ok();
            }
            line.clear();
        }
    }
}

use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::Error;

/// The time limit for a server to start or to end. It is long because valgrind is slow.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A command that starts a server; it can be started any number of times.
#[derive(Clone, Debug)]
pub(crate) struct ServerCommand {
    program: PathBuf,
    arguments: Vec<OsString>,
    /// A program that runs the server as its child, with its arguments.
    wrapper: Vec<OsString>,
    cpu: Option<usize>,
    quiet: bool,
    /// The address of a server that does not print it.
    address: Option<SocketAddr>,
    /// Variables of its environment.
    variables: Vec<(&'static str, String)>,
}

/// A running server; dropping it ends the process.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    /// The process of the server itself, which may be a descendant of `child`.
    pub(crate) pid: u32,
    pub(crate) address: SocketAddr,
}

impl ServerCommand {
    pub(crate) fn new(program: PathBuf, arguments: impl IntoIterator<Item = String>) -> Self {
        let arguments = arguments.into_iter().map(OsString::from).collect();
        let (wrapper, variables) = (Vec::new(), Vec::new());
        Self { program, arguments, wrapper, cpu: None, quiet: false, address: None, variables }
    }

    pub(crate) fn threads(mut self, threads: usize) -> Self {
        self.arguments.extend(["--threads".into(), threads.to_string().into()]);
        self
    }

    /// Sets a variable of its environment.
    pub(crate) fn with(mut self, variable: &'static str, value: &str) -> Self {
        self.variables.push((variable, value.to_owned()));
        self
    }

    /// Runs the server under a tool such as valgrind.
    pub(crate) fn under<I: Into<OsString>>(mut self, tool: impl IntoIterator<Item = I>) -> Self {
        self.wrapper = tool.into_iter().map(Into::into).collect();
        self
    }

    /// Pins the server to one processor, if one is given.
    pub(crate) fn pinned_to(mut self, cpu: Option<usize>) -> Self {
        self.cpu = cpu;
        self
    }

    /// Sets the address of a server that does not print it.
    pub(crate) fn listening_at(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Discards the server's stderr.
    pub(crate) fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Starts the server and waits until it listens.
    pub(crate) fn start(&self) -> Result<ServerProcess, Error> {
        let words = self.words();
        let name = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let mut child = self.spawn(&words).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Error::missing(format!("`{}` is not installed", words[0].display()))
            }
            _ => Error::doing(&name)(error),
        })?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = match self.address {
            Some(address) => wait_until_connectable(address, &mut child),
            None => line.strip_prefix("listening ").and_then(|rest| rest.trim().parse().ok()),
        };
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            // A server that cannot serve prints the reason in place of the address.
            let reason = if line.is_empty() { "no output" } else { line.trim() };
            return Err(Error::failed(format!("`{name}` does not listen: {reason}")));
        };
        let pid = innermost_child(child.id());
        Ok(ServerProcess { child, pid, address })
    }

    /// The whole command line, with the tools around the server.
    fn words(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some(cpu) = self.cpu {
            words.extend(["taskset".into(), "-c".into(), cpu.to_string().into()]);
        }
        words.extend(self.wrapper.iter().cloned());
        words.push(self.program.clone().into_os_string());
        words.extend(self.arguments.iter().cloned());
        words
    }

    fn spawn(&self, words: &[OsString]) -> std::io::Result<Child> {
        Command::new(&words[0])
            .args(&words[1..])
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(if self.address.is_some() { Stdio::null() } else { Stdio::piped() })
            .stderr(if self.quiet { Stdio::null() } else { Stdio::inherit() })
            .spawn()
    }
}

impl ServerProcess {
    /// Ends the server and waits, so that the tool around it has written its whole output.
    pub(crate) fn end(mut self) -> Result<(), Error> {
        self.terminate()
    }

    fn terminate(&mut self) -> Result<(), Error> {
        if self.child.try_wait()?.is_some() {
            return Err(Error::failed("a server ended early"));
        }
        if let Some(pid) = Pid::from_raw(self.pid.cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            if start.elapsed() > TIMEOUT {
                return Err(Error::failed("a server does not end"));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) && self.terminate().is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Tries to connect until it succeeds; `None` if the server ends or the time limit passes.
fn wait_until_connectable(address: SocketAddr, server: &mut Child) -> Option<SocketAddr> {
    let start = Instant::now();
    while start.elapsed() < TIMEOUT && matches!(server.try_wait(), Ok(None)) {
        if TcpStream::connect(address).is_ok() {
            return Some(address);
        }
        thread::sleep(Duration::from_millis(5));
    }
    None
}

/// Follows first children down from `pid`, because `strace` and `perf` run the server as a child.
fn innermost_child(mut pid: u32) -> u32 {
    while let Ok(children) = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")) {
        let Some(Ok(child)) = children.split_whitespace().next().map(str::parse) else { break };
        pid = child;
    }
    pid
}

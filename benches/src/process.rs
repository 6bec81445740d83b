use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};

use crate::Error;

/// How long a server may take to end: under valgrind it is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that can be started, any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    /// A program that starts it, with arguments.
    under: Vec<OsString>,
    cpu: Option<usize>,
    quiet: bool,
    /// Where it listens, if it cannot tell.
    address: Option<SocketAddr>,
}

/// A server process. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// The server itself, which may be a child of the child.
    pub(crate) pid: u32,
    pub(crate) address: SocketAddr,
}

impl Launch {
    pub(crate) fn new(program: PathBuf, arguments: impl IntoIterator<Item = String>) -> Self {
        let arguments = arguments.into_iter().map(OsString::from).collect();
        Self { program, arguments, under: Vec::new(), cpu: None, quiet: false, address: None }
    }

    pub(crate) fn threads(mut self, threads: usize) -> Self {
        self.arguments.extend(["--threads".into(), threads.to_string().into()]);
        self
    }

    /// Has it started by a program such as valgrind.
    pub(crate) fn under<I: Into<OsString>>(mut self, tool: impl IntoIterator<Item = I>) -> Self {
        self.under = tool.into_iter().map(Into::into).collect();
        self
    }

    /// Has it run on one processor.
    pub(crate) fn on(mut self, cpu: Option<usize>) -> Self {
        self.cpu = cpu;
        self
    }

    /// It does not tell where it listens, which is here.
    pub(crate) fn listens_at(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Has nobody see what is written to stderr.
    pub(crate) fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(&self) -> Result<Process, Error> {
        let mut words = Vec::new();
        if let Some(cpu) = self.cpu {
            words.extend(["taskset".into(), "-c".into(), cpu.to_string().into()]);
        }
        words.extend(self.under.iter().cloned());
        words.push(self.program.clone().into_os_string());
        words.extend(self.arguments.iter().cloned());
        let name = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(if self.address.is_some() { Stdio::null() } else { Stdio::piped() })
            .stderr(if self.quiet { Stdio::null() } else { Stdio::inherit() })
            .spawn()
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    Error::missing(format!("there is no `{}`", words[0].display()))
                }
                _ => Error::doing(&name)(error),
            })?;
        let mut line = String::new();
        if let Some(said) = child.stdout.take() {
            BufReader::new(said).read_line(&mut line)?;
        }
        let address = match self.address {
            Some(address) => wait_for(address, &mut child),
            None => line.strip_prefix("listening ").and_then(|rest| rest.trim().parse().ok()),
        };
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            // A server that cannot serve says why in place of the address.
            let why = if line.is_empty() { "it says nothing" } else { line.trim() };
            return Err(Error::failed(format!("`{name}` does not listen: {why}")));
        };
        let pid = innermost(child.id());
        Ok(Process { child, pid, address })
    }
}

impl Process {
    /// Ends it and waits for its end, so that what watches it has written all.
    pub(crate) fn end(mut self) -> Result<(), Error> {
        self.terminate()
    }

    fn terminate(&mut self) -> Result<(), Error> {
        if self.child.try_wait()?.is_some() {
            return Err(Error::failed("a server has ended by itself"));
        }
        if let Some(pid) = Pid::from_raw(self.pid.cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            if began.elapsed() > PATIENCE {
                return Err(Error::failed("a server does not end"));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) && self.terminate().is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Tries to connect until that works or the server has ended.
fn wait_for(address: SocketAddr, server: &mut Child) -> Option<SocketAddr> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE && matches!(server.try_wait(), Ok(None)) {
        if TcpStream::connect(address).is_ok() {
            return Some(address);
        }
        thread::sleep(Duration::from_millis(5));
    }
    None
}

/// The only child of the only child ..: `strace` and `perf` start their program as a child.
fn innermost(mut pid: u32) -> u32 {
    while let Ok(children) = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")) {
        let Some(Ok(child)) = children.split_whitespace().next().map(str::parse) else { break };
        pid = child;
    }
    pid
}

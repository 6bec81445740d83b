//! The servers of a workload, each in a process of its own.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts a server; `None` if the system does not support it.
    fn start(command: &mut Command) -> Option<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.contains("io_uring") {
            eprintln!("skipped: {line}");
            child.wait().unwrap();
            return None;
        }
        let address = line.strip_prefix("listening ").expect(&line).trim().to_owned();
        Some(Self { child, address })
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Calls `check` with the server of each peer, and with the server in C.
pub(crate) fn each(workload: &str, peers: &[&str], check: impl Fn(&str, &Server)) {
    for peer in peers {
        let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
        if let Some(server) = Server::start(command.args(["serve", workload, peer])) {
            check(peer, &server);
        }
    }
    // Each test has a file of its own, because tests compile in parallel.
    let program = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = program.join(format!("{workload}-{:?}", thread::current().id()));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("c/{workload}.c"));
    let compiled = Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(source).status();
    assert!(compiled.expect("a C compiler").success());
    check("c", &Server::start(&mut Command::new(&program)).unwrap());
    std::fs::remove_file(program).unwrap();
}

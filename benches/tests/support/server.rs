//! The servers of a work, each in a process of its own.

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
    /// `None` where the system cannot run it.
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

/// Calls `check` with a server of each peer, and with the one in C.
pub(crate) fn each(work: &str, peers: &[&str], check: impl Fn(&str, &Server)) {
    for peer in peers {
        let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
        if let Some(server) = Server::start(command.args(["serve", work, peer])) {
            check(peer, &server);
        }
    }
    // Two tests may compile it at a time.
    let program = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = program.join(format!("{work}-{:?}", thread::current().id()));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("c/{work}.c"));
    let compiled = Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(source).status();
    assert!(compiled.expect("a C compiler").success());
    check("c", &Server::start(&mut Command::new(&program)).unwrap());
    std::fs::remove_file(program).unwrap();
}

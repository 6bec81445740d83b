//! Measures the memory of an idle connection of the `kv` server, on Linux.
//!
//! Start it with `cargo run --release --bin idle -- --connections 15000`. It starts `kv`, opens
//! connections that do one PING each and then stay idle, and compares the server's anonymous memory
//! before and after (heap, stacks and everything not backed by a file; `Anonymous` in
//! `/proc/PID/smaps_rollup`). It does not count the kernel's memory for the sockets, which is the
//! same for every server.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Parser;

#[derive(Parser)]
#[command(about = "Measures the memory of idle connections of the `kv` server (Linux)")]
struct Options {
    /// The number of connections; each takes one descriptor here and one in the server
    #[arg(long, default_value_t = 15_000)]
    connections: u32,
    /// The server's program; cargo builds it by default
    #[arg(long)]
    server: Option<PathBuf>,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match measure(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("idle: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<()> {
    let program = match &options.server {
        Some(program) => program.clone(),
        None => build()?,
    };
    let server = Server::start(&program, options.connections)?;
    // Exclude the costs of the first connections, such as the thread's buffers.
    drop(connect(server.address, 64)?);
    let before = server.anonymous()?;
    let connections = connect(server.address, options.connections)?;
    let after = server.anonymous()?;
    let count = connections.len() as u64;
    let bytes = after.saturating_sub(before);
    println!("connections: {count}, each did one PING");
    println!("anonymous memory of kv: {before} bytes before, {after} after");
    println!("bytes per idle connection: {}", bytes.div_ceil(count.max(1)));
    Ok(())
}

/// Builds `kv` in the profile of this program; both lie in the same directory.
fn build() -> Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name("kv");
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut command = Command::new(cargo);
        command.args(["build", "--bin", "kv", "--manifest-path"]);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        if !command.status()?.success() {
            return Err("kv does not build".into());
        }
    }
    if program.exists() {
        Ok(program)
    } else {
        Err(format!("{} is missing; run this with cargo, or give --server", program.display())
            .into())
    }
}

/// Opens connections and does one PING on each.
fn connect(address: SocketAddr, count: u32) -> Result<Vec<TcpStream>> {
    let mut connections = Vec::new();
    for n in 0..count {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))
            .map_err(|error| format!("connection {n}: {error}; see `ulimit -n`"))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        if &answer != b"+PONG\r\n" {
            return Err(format!("PING was answered with {:?}", answer.escape_ascii()).into());
        }
        connections.push(stream);
    }
    Ok(connections)
}

/// A server process; dropping it kills the process.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(program: &PathBuf, connections: u32) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["--port", "0", "--max-connections", &(connections + 100).to_string()])
            .stderr(Stdio::piped())
            .spawn()?;
        let mut log = BufReader::new(child.stderr.take().ok_or("no log")?);
        let mut output = String::new();
        let address = loop {
            let start = output.len();
            if log.read_line(&mut output)? == 0 {
                let _ = child.wait();
                return Err(format!("kv did not start: {output}").into());
            }
            if let Some((_, address)) = output[start..].split_once("address=") {
                break address.trim().parse()?;
            }
        };
        // Read the log to its end, because a full pipe would block the server.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Ok(Self { child, address })
    }

    /// The server's anonymous memory in bytes.
    fn anonymous(&self) -> Result<u64> {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let rollup = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:"));
        let kib =
            line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no `Anonymous` line")?;
        Ok(kib.trim().parse::<u64>()? * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::cpus::{self, Cpus};
use crate::error::Error;
use crate::peer::Peer;
use crate::process::ServerCommand;
use crate::tool;

/// The context of all measurements: amount of work, directories, processors, progress.
pub(crate) struct Lab {
    pub(crate) quick: bool,
    /// The peers beside ours, or all of them if there are none here.
    peers: Vec<Peer>,
    /// The directory of reports and of scratch files.
    out: PathBuf,
    pub(crate) cpus: Option<Cpus>,
    progress: MultiProgress,
    /// Workloads whose C server is compiled.
    compiled: Mutex<HashSet<String>>,
}

impl Lab {
    pub(crate) fn new(quick: bool, peers: &[Peer], out: &Path) -> Result<Self, Error> {
        let out = std::path::absolute(out)?;
        fs::create_dir_all(out.join("work")).map_err(Error::doing(out.display()))?;
        raise_open_files();
        let (progress, compiled) = (MultiProgress::new(), Mutex::default());
        let (peers, cpus) = (peers.to_vec(), Cpus::detect());
        Ok(Self { quick, peers, out, cpus, progress, compiled })
    }

    /// Whether the peer is measured: ours always is.
    pub(crate) fn is_wanted(&self, peer: Peer) -> bool {
        peer == Peer::Ours || self.peers.is_empty() || self.peers.contains(&peer)
    }

    /// The number of runs of a timed measurement.
    pub(crate) fn runs(&self) -> usize {
        if self.quick { 3 } else { 7 }
    }

    /// `full`, or `quick` with `--quick`.
    pub(crate) fn amount(&self, full: u64, quick: u64) -> u64 {
        if self.quick { quick } else { full }
    }

    /// Prints a line above the progress bars.
    pub(crate) fn log(&self, line: &str) {
        // A hidden progress display discards lines.
        if self.progress.is_hidden() {
            eprintln!("{line}");
        } else {
            let _ = self.progress.println(line);
        }
    }

    /// Shows a progress bar until the returned value is dropped.
    pub(crate) fn progress_bar(&self, label: &str, steps: u64) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg:40} {wide_bar} {pos}/{len} {eta:>4}");
        let bar = ProgressBar::new(steps).with_message(label.to_owned());
        let bar = style.map_or(bar.clone(), |style| bar.with_style(style));
        self.progress.add(bar).with_finish(indicatif::ProgressFinish::AndClear)
    }

    /// The command that starts a peer's server for a workload.
    pub(crate) fn server(&self, workload: &str, peer: Peer) -> Result<ServerCommand, Error> {
        if peer == Peer::C {
            return Ok(ServerCommand::new(self.compile_c(workload)?, []));
        }
        let arguments = ["serve".to_owned(), workload.to_owned(), peer.name()];
        Ok(ServerCommand::new(Self::executable()?, arguments))
    }

    /// Compiles `c/WORKLOAD.c` unless this process has compiled it already.
    fn compile_c(&self, workload: &str) -> Result<PathBuf, Error> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let program = self.scratch_file(&format!("{workload}-c"));
        if compiled.contains(workload) {
            return Ok(program);
        }
        tool::require("cc", "gcc libc6-dev")?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("c/{workload}.c"));
        let output = Command::new("cc")
            .args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&program)
            .arg(&source)
            .output()
            .map_err(Error::doing("cc"))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(Error::failed(format!("cc {}: {stderr}", source.display())));
        }
        compiled.insert(workload.to_owned());
        Ok(program)
    }

    /// The path of this program, which is also every Rust server.
    pub(crate) fn executable() -> Result<PathBuf, Error> {
        env::current_exe().map_err(Error::doing("find this program"))
    }

    /// A temporary file in the directory of the report.
    pub(crate) fn scratch_file(&self, name: &str) -> PathBuf {
        self.out.join("work").join(name)
    }

    pub(crate) fn client_cpu(&self) -> Option<usize> {
        self.cpus.map(|cpus| cpus.client)
    }

    pub(crate) fn server_cpu(&self) -> Option<usize> {
        self.cpus.map(|cpus| cpus.server)
    }

    /// Runs a load generator on the processor of the clients.
    pub(crate) fn on_client_cpu<T: Send>(&self, client: impl FnOnce() -> T + Send) -> T {
        cpus::pinned_to(self.cpus.map(|cpus| cpus.client), client)
    }
}

/// Raises the limit of open files to its maximum; server processes inherit it.
fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

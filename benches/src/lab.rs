use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::{env, fs, io, thread};

use clap::ValueEnum;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::process::Launch;
use crate::{Error, Peer};

/// What all measurements share: how much to do, where files go, and what the machine has.
pub(crate) struct Lab {
    pub(crate) quick: bool,
    /// Where reports go, and what is made on the way.
    pub(crate) out: PathBuf,
    pub(crate) cpus: Option<Cpus>,
    progress: MultiProgress,
    /// The C programs that are compiled.
    compiled: Mutex<HashSet<String>>,
}

/// Two processors: a server has one, and its clients the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpus {
    pub(crate) server: usize,
    pub(crate) client: usize,
}

impl Lab {
    pub(crate) fn new(quick: bool, out: &Path) -> Result<Self, Error> {
        let out = std::path::absolute(out)?;
        fs::create_dir_all(out.join("work")).map_err(Error::doing(out.display()))?;
        raise_open_files();
        let (progress, compiled) = (MultiProgress::new(), Mutex::default());
        Ok(Self { quick, out, cpus: cpus(), progress, compiled })
    }

    /// How often a time is measured.
    pub(crate) fn runs(&self) -> usize {
        if self.quick { 3 } else { 7 }
    }

    /// So much of something: the first, or the second where it has to be quick.
    pub(crate) fn amount(&self, full: u64, quick: u64) -> u64 {
        if self.quick { quick } else { full }
    }

    /// A line for who looks on.
    pub(crate) fn say(&self, line: &str) {
        // A progress that is not drawn swallows lines, too.
        if self.progress.is_hidden() {
            eprintln!("{line}");
        } else {
            let _ = self.progress.println(line);
        }
    }

    /// A bar of so many steps; it is gone when it is dropped.
    pub(crate) fn bar(&self, what: &str, steps: u64) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg:40} {wide_bar} {pos}/{len} {eta:>4}");
        let bar = ProgressBar::new(steps).with_message(what.to_owned());
        let bar = style.map_or(bar.clone(), |style| bar.with_style(style));
        self.progress.add(bar).with_finish(indicatif::ProgressFinish::AndClear)
    }

    /// The server of a peer, not yet started.
    pub(crate) fn launch(&self, work: &str, peer: Peer) -> Result<Launch, Error> {
        if peer == Peer::C {
            return Ok(Launch::new(self.c(work)?, []));
        }
        let own = env::current_exe().map_err(Error::doing("find this program"))?;
        Ok(Launch::new(own, ["serve".to_owned(), work.to_owned(), peer.word()]))
    }

    /// Compiles `c/WORK.c`, once.
    fn c(&self, work: &str) -> Result<PathBuf, Error> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.contains(work) {
            return Ok(self.work(&format!("{work}-c")));
        }
        tool("cc", "gcc libc6-dev")?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("c/{work}.c"));
        let program = self.work(&format!("{work}-c"));
        let made = Command::new("cc")
            .args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&program)
            .arg(&source)
            .output()
            .map_err(Error::doing("cc"))?;
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr);
            return Err(Error::failed(format!("cc {}: {said}", source.display())));
        }
        compiled.insert(work.to_owned());
        Ok(program)
    }

    /// A file that is made on the way.
    pub(crate) fn work(&self, name: &str) -> PathBuf {
        self.out.join("work").join(name)
    }

    /// Runs a client on its processor.
    pub(crate) fn as_client<T: Send>(&self, client: impl FnOnce() -> T + Send) -> T {
        let cpu = self.cpus.map(|cpus| cpus.client);
        thread::scope(|scope| {
            let client = scope.spawn(move || {
                if let Some(cpu) = cpu {
                    let mut set = CpuSet::new();
                    set.set(cpu);
                    // The processor was in the set of this process a moment ago.
                    let _ = sched_setaffinity(None, &set);
                }
                client()
            });
            client.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// Says which Debian packages have the tool, where it is missing.
pub(crate) fn tool(name: &str, packages: &str) -> Result<(), Error> {
    let mut command = Command::new(name);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::missing(format!("there is no `{name}`; apt-get install {packages}")))
        }
        Err(error) => Err(Error::missing(format!("{name}: {error}"))),
        Ok(_) => Ok(()),
    }
}

impl Peer {
    /// Its name on command lines and in reports.
    pub(crate) fn word(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

fn cpus() -> Option<Cpus> {
    let allowed = sched_getaffinity(None).ok()?;
    let mut numbers = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu));
    Some(Cpus { server: numbers.next()?, client: numbers.next()? })
}

/// As many descriptors as the system allows: servers inherit it.
fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

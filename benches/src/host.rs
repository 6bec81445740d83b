use std::fs;
use std::process::Command;
use std::time::SystemTime;

use serde::Serialize;

/// The computer, the date and the command line of a run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Host {
    cpu: String,
    cpus: usize,
    kernel: String,
    rustc: String,
    date: String,
    command: String,
}

/// The part of the command line before the arguments.
const COMMAND: &str = "cargo run --release -p benches --";

impl Host {
    pub(crate) fn detect() -> Self {
        Self {
            cpu: cpu().unwrap_or_else(unknown),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| unknown(), |release| release.trim().to_owned()),
            rustc: rustc().unwrap_or_else(unknown),
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            command: std::env::args()
                .skip(1)
                .fold(COMMAND.to_owned(), |all, word| all + " " + &word),
        }
    }

    /// The first line of a report.
    pub(crate) fn line(&self) -> String {
        let Self { cpu, cpus, kernel, rustc, date, command } = self;
        format!("{date}, `{command}`, {cpus} x {cpu}, Linux {kernel}, {rustc}")
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn cpu() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn rustc() -> Option<String> {
    let out = Command::new("rustc").arg("--version").output().ok()?;
    Some(String::from_utf8(out.stdout).ok()?.trim().to_owned())
}

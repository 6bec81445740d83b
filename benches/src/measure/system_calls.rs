use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::Slope;
use crate::error::Error;
use crate::lab::Lab;
use crate::process::ServerCommand;
use crate::tool;

/// A filter for system calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter {
    /// The names to trace, as `strace -e trace=` takes them.
    pub(crate) names: &'static str,
    /// A text that the call must contain in strace's output, such as
    /// `epoll_ctl(4, EPOLL_CTL_ADD, ..`.
    pub(crate) containing: &'static str,
}

const ALL: Filter = Filter { names: "all", containing: "" };

/// The tracepoint of all system calls.
const SYSTEM_CALL: &str = "raw_syscalls:sys_enter";
/// The tracepoint of futex calls, and a filter for `FUTEX_WAKE | FUTEX_PRIVATE_FLAG`.
const FUTEX: &str = "syscalls:sys_enter_futex";
const FUTEX_WAKE: &str = "op == 129";

/// System calls of a server per unit of `load`.
///
/// `perf` counts them if this process may use it. `strace` is the fallback: it slows the server
/// down, so that the server finds more events at each poll and makes fewer calls.
///
/// `load` receives the server's address and the amount of work.
pub(crate) fn of_server(
    lab: &Lab,
    server: &ServerCommand,
    slope: Slope,
    mut load: impl FnMut(SocketAddr, u64) -> Result<(), Error>,
) -> Result<f64, Error> {
    if !perf_works() {
        return filtered(lab, server, slope, ALL, load);
    }
    let file = lab.scratch_file("perf.csv");
    let out = file.display().to_string();
    let perf = ["perf", "stat", "-x,", "-o", &out, "-e", SYSTEM_CALL, "--"];
    slope.measure(|amount| {
        // perf reports on stderr that a signal ended the server.
        let server = server.clone().under(perf).quiet().start()?;
        load(server.address, amount)?;
        server.end()?;
        take_count(&file, SYSTEM_CALL)
    })
}

/// The system calls among them that match the filter, counted by `strace`.
pub(crate) fn filtered(
    lab: &Lab,
    server: &ServerCommand,
    slope: Slope,
    filter: Filter,
    mut load: impl FnMut(SocketAddr, u64) -> Result<(), Error>,
) -> Result<f64, Error> {
    tool::require("strace", "strace")?;
    let file = lab.scratch_file("strace.out");
    let out = file.display().to_string();
    let trace = format!("trace={}", filter.names);
    let strace = ["strace", "-f", "-qq", "-e", "signal=none", "-e", &trace, "-o", &out];
    slope.measure(|amount| {
        let server = server.clone().under(strace).start()?;
        load(server.address, amount)?;
        server.end()?;
        take_calls(&file, filter.containing)
    })
}

/// Futex wake-ups that a program makes, given as the words of its command line.
///
/// Only `perf` counts them, because `strace` slows the waking thread down and changes the number.
pub(crate) fn wake_ups(lab: &Lab, command: &[String]) -> Result<f64, Error> {
    if !perf_works() {
        return Err(Error::missing("`perf` is not installed or may not count system calls"));
    }
    let file = lab.scratch_file("perf.csv");
    let mut perf = Command::new("perf");
    perf.args(["stat", "-x,", "-e", FUTEX, "--filter", FUTEX_WAKE, "-o"]).arg(&file).arg("--");
    let output = perf.args(command).output().map_err(Error::doing("perf"))?;
    if !output.status.success() {
        return Err(Error::failed(String::from_utf8_lossy(&output.stderr)));
    }
    take_count(&file, FUTEX)
}

/// The tool that [`of_server`] uses.
pub(crate) fn counter() -> &'static str {
    if perf_works() { "perf" } else { "strace" }
}

fn perf_works() -> bool {
    let perf = Command::new("perf").args(["stat", "-e", SYSTEM_CALL, "true"]).output();
    perf.is_ok_and(|output| output.status.success())
}

/// Reads an event's count from perf's output file and removes the file.
fn take_count(file: &Path, event: &str) -> Result<f64, Error> {
    let text = fs::read_to_string(file).map_err(Error::doing(file.display()))?;
    fs::remove_file(file)?;
    let line = text.lines().find(|line| line.contains(event));
    let count = line.and_then(|line| line.split(',').next()?.parse().ok());
    count.ok_or_else(|| Error::failed("perf reported no count"))
}

/// Counts the calls in strace's output file and removes the file.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53 lines")]
fn take_calls(file: &Path, containing: &str) -> Result<f64, Error> {
    let text = fs::read_to_string(file).map_err(Error::doing(file.display()))?;
    fs::remove_file(file)?;
    // A line begins with the thread's number. A call that another thread interrupts has a second
    // line, `<... call resumed>`.
    let calls = text.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim_start()));
    let calls = calls.filter(|call| !call.starts_with("<...") && call.contains(containing));
    Ok(calls.count() as f64)
}

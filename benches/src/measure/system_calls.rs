use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::Slope;
use crate::lab::tool;
use crate::process::Launch;
use crate::{Error, Lab};

/// The system calls that one more of the `load` costs a server.
///
/// `perf` counts them without slowing the server down; `strace`, which is asked where `perf` is
/// not allowed to, makes it find more work at each poll, and so fewer calls.
pub(crate) fn all(
    lab: &Lab,
    launch: &Launch,
    slope: Slope,
    load: impl FnMut(SocketAddr, u64) -> Result<(), Error>,
) -> Result<f64, Error> {
    if perf_works() {
        return counted_by_perf(lab, launch, slope, load);
    }
    named(lab, launch, slope, load, "all", |_| true)
}

fn counted_by_perf(
    lab: &Lab,
    launch: &Launch,
    slope: Slope,
    mut load: impl FnMut(SocketAddr, u64) -> Result<(), Error>,
) -> Result<f64, Error> {
    let file = lab.work("perf.csv");
    let out = file.display().to_string();
    let perf = ["perf", "stat", "-x,", "-o", &out, "-e", EVENT, "--"];
    slope.of(|amount| {
        // It says of each server that a signal has ended it.
        let server = launch.clone().under(perf).quiet().start()?;
        load(server.address, amount)?;
        server.end()?;
        let text = fs::read_to_string(&file).map_err(Error::doing(file.display()))?;
        fs::remove_file(&file)?;
        let line = text.lines().find(|line| line.contains(EVENT));
        let count = line.and_then(|line| line.split(',').next()?.parse().ok());
        count.ok_or_else(|| Error::failed("perf has counted nothing"))
    })
}

const EVENT: &str = "raw_syscalls:sys_enter";

/// Who counts them, for the report.
pub(crate) fn counter() -> &'static str {
    if perf_works() { "perf" } else { "strace" }
}

fn perf_works() -> bool {
    let perf = Command::new("perf").args(["stat", "-e", EVENT, "true"]).output();
    perf.is_ok_and(|out| out.status.success())
}

/// Those of the system calls, traced by their names, that `counts` says: it is given a line of
/// strace's such as `epoll_ctl(4, EPOLL_CTL_ADD, ..`.
pub(crate) fn named(
    lab: &Lab,
    launch: &Launch,
    slope: Slope,
    mut load: impl FnMut(SocketAddr, u64) -> Result<(), Error>,
    names: &str,
    counts: impl Fn(&str) -> bool,
) -> Result<f64, Error> {
    tool("strace", "strace")?;
    let file = lab.work("strace.out");
    let out = file.display().to_string();
    let trace = format!("trace={names}");
    let strace = ["strace", "-f", "-qq", "-e", "signal=none", "-e", &trace, "-o", &out];
    slope.of(|amount| {
        let server = launch.clone().under(strace).start()?;
        load(server.address, amount)?;
        server.end()?;
        count(&file, &counts)
    })
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53 lines")]
fn count(file: &Path, counts: impl Fn(&str) -> bool) -> Result<f64, Error> {
    let text = fs::read_to_string(file).map_err(Error::doing(file.display()))?;
    fs::remove_file(file)?;
    // Each line begins with a thread's number. A call that another thread interrupts has two lines.
    let calls = text.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim_start()));
    Ok(calls.filter(|call| !call.starts_with("<...") && counts(call)).count() as f64)
}

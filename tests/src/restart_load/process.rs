use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::{TIMEOUT, run};

/// An address that was free a moment ago.
pub(super) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

pub(super) fn signal(name: &str, process: u32) -> io::Result<()> {
    let kill = format!("kill -{name} {process}");
    let ran = run(Command::new("sh").args(["-c", &kill]), TIMEOUT);
    if ran.status.success() { Ok(()) } else { Err(io::Error::other(format!("{kill}: {ran:?}"))) }
}

/// Waits until `condition` holds, but not for ever. Returns whether it does.
pub(super) fn wait(within: Duration, condition: impl Fn() -> bool) -> bool {
    let end = Instant::now() + within;
    while !condition() {
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}

/// Waits as [`wait`] does; an error if it is in vain.
pub(super) fn until(what: &str, condition: impl Fn() -> bool) -> io::Result<()> {
    if wait(TIMEOUT, condition) { Ok(()) } else { Err(io::Error::other(format!("not so: {what}"))) }
}

/// Whether a process has ended; it may still be a zombie.
pub(super) fn has_ended(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    state.is_empty() || state.starts_with('Z')
}

pub(super) fn children(process: u32) -> Vec<u32> {
    let path = format!("/proc/{process}/task/{process}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|it| it.parse().ok()).collect()
}

/// The number in a file of a process id.
pub(super) fn number_in(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

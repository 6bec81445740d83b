use std::fs;
use std::time::Duration;

use crate::Error;

/// The time that all threads of a process have had a processor, user and system together.
///
/// The scheduler counts it in nanoseconds; `/proc/PID/stat` has the same in hundredths of a second.
/// Threads that have ended are not in it.
pub(crate) fn time(pid: u32) -> Result<Duration, Error> {
    let tasks = format!("/proc/{pid}/task");
    let mut nanoseconds = 0;
    for task in fs::read_dir(&tasks).map_err(Error::doing(&tasks))? {
        let path = task?.path().join("schedstat");
        let text = fs::read_to_string(&path).map_err(Error::doing(path.display()))?;
        let first = text.split_whitespace().next().and_then(|first| first.parse::<u64>().ok());
        nanoseconds +=
            first.ok_or_else(|| Error::failed(format!("{}: no number", path.display())))?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// What the process spends while something is done.
pub(crate) fn spent(pid: u32, work: impl FnOnce() -> Result<(), Error>) -> Result<Duration, Error> {
    let before = time(pid)?;
    work()?;
    Ok(time(pid)?.saturating_sub(before))
}

/// The microseconds that each of so many requests costs the process while they are made.
pub(crate) fn each(
    pid: u32,
    requests: u64,
    work: impl FnOnce() -> Result<(), Error>,
) -> Result<f64, Error> {
    Ok(of_each(spent(pid, work)?, requests))
}

/// Microseconds, shared by so many.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53 requests")]
pub(crate) fn of_each(time: Duration, requests: u64) -> f64 {
    time.as_secs_f64() * 1e6 / requests as f64
}

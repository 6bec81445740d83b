use std::fs;
use std::time::Duration;

use crate::error::Error;

/// CPU time, user and system, that the process uses while `work` runs.
pub(crate) fn during(
    pid: u32,
    work: impl FnOnce() -> Result<(), Error>,
) -> Result<Duration, Error> {
    let before = total(pid)?;
    work()?;
    Ok(total(pid)?.saturating_sub(before))
}

/// Microseconds of CPU time per request, while `work` makes `requests` requests.
pub(crate) fn per_request(
    pid: u32,
    requests: u64,
    work: impl FnOnce() -> Result<(), Error>,
) -> Result<f64, Error> {
    Ok(divide(during(pid, work)?, requests))
}

/// Microseconds per request.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53 requests")]
pub(crate) fn divide(time: Duration, requests: u64) -> f64 {
    time.as_secs_f64() * 1e6 / requests as f64
}

/// CPU time of all live threads of a process.
///
/// `schedstat` has nanoseconds, `/proc/PID/stat` only hundredths of a second.
fn total(pid: u32) -> Result<Duration, Error> {
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

use std::fs;

use crate::error::Error;

/// Bytes of anonymous memory of a process: memory that maps no file.
pub(crate) fn anonymous(pid: u32) -> Result<f64, Error> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let rollup = fs::read_to_string(&path).map_err(Error::doing(&path))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    kib.map(|kib| kib * 1024.0).ok_or_else(|| Error::failed(format!("{path}: no `Anonymous`")))
}

use std::fs;
use std::net::SocketAddr;

use super::Slope;
use crate::lab::tool;
use crate::process::Launch;
use crate::{Error, Lab};

/// The allocations that one more of the `load` costs a server; growing a buffer is one.
pub(crate) fn allocations(
    lab: &Lab,
    launch: &Launch,
    slope: Slope,
    mut load: impl FnMut(SocketAddr, u64) -> Result<(), Error>,
) -> Result<f64, Error> {
    tool("valgrind", "valgrind")?;
    let file = lab.work("memcheck.log");
    let log = format!("--log-file={}", file.display());
    let memcheck = ["valgrind", "--leak-check=no", "--undef-value-errors=no", &log];
    slope.of(|amount| {
        let server = launch.clone().under(memcheck).start()?;
        load(server.address, amount)?;
        server.end()?;
        let text = fs::read_to_string(&file).map_err(Error::doing(file.display()))?;
        fs::remove_file(&file)?;
        total(&text).ok_or_else(|| Error::failed("valgrind has counted no allocations"))
    })
}

/// The number in `total heap usage: 1,234 allocs, ..`.
fn total(log: &str) -> Option<f64> {
    let (_, usage) = log.split_once("total heap usage: ")?;
    usage.split_once(" allocs")?.0.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found_in_a_log() {
        let log = "==7== HEAP SUMMARY:\n==7==   total heap usage: 1,234 allocs, 9 frees, 8 bytes\n";
        assert_eq!(total(log), Some(1234.0));
        assert_eq!(total("==7== Command: serve\n"), None);
    }
}

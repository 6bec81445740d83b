use std::fs;
use std::net::SocketAddr;

use super::Slope;
use crate::error::Error;
use crate::lab::Lab;
use crate::process::ServerCommand;
use crate::tool;

/// Heap allocations of a server per unit of `load`; a reallocation counts as one.
///
/// `load` receives the server's address and the amount of work.
pub(crate) fn of_server(
    lab: &Lab,
    server: &ServerCommand,
    slope: Slope,
    mut load: impl FnMut(SocketAddr, u64) -> Result<(), Error>,
) -> Result<f64, Error> {
    tool::require("valgrind", "valgrind")?;
    let file = lab.scratch_file("memcheck.log");
    let log = format!("--log-file={}", file.display());
    let memcheck = ["valgrind", "--leak-check=no", "--undef-value-errors=no", &log];
    slope.measure(|amount| {
        let server = server.clone().under(memcheck).start()?;
        load(server.address, amount)?;
        server.end()?;
        let text = fs::read_to_string(&file).map_err(Error::doing(file.display()))?;
        fs::remove_file(&file)?;
        total(&text).ok_or_else(|| Error::failed("valgrind reported no number of allocations"))
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
    fn the_total_is_read_from_a_log() {
        let log = "==7== HEAP SUMMARY:\n==7==   total heap usage: 1,234 allocs, 9 frees, 8 bytes\n";
        assert_eq!(total(log), Some(1234.0));
        assert_eq!(total("==7== Command: serve\n"), None);
    }
}

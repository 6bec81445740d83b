use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::Slope;
use crate::error::Error;
use crate::lab::Lab;
use crate::process::ServerCommand;
use crate::tool;

/// User instructions of a server per unit of `load`.
///
/// `load` receives the server's address and the amount of work.
pub(crate) fn of_server(
    lab: &Lab,
    server: &ServerCommand,
    slope: Slope,
    mut load: impl FnMut(SocketAddr, u64) -> Result<(), Error>,
) -> Result<f64, Error> {
    tool::require("valgrind", "valgrind")?;
    let file = lab.scratch_file("callgrind.out");
    slope.measure(|amount| {
        let server = server.clone().under(callgrind(&file)).start()?;
        load(server.address, amount)?;
        server.end()?;
        take_total(&file)
    })
}

/// User instructions of this program with the given arguments, from start to exit.
pub(crate) fn of_run(lab: &Lab, arguments: &[String]) -> Result<f64, Error> {
    of_program(lab, &Lab::executable()?, arguments)
}

/// The same of another program.
pub(crate) fn of_program(lab: &Lab, program: &Path, arguments: &[String]) -> Result<f64, Error> {
    tool::require("valgrind", "valgrind")?;
    let file = lab.scratch_file("callgrind.out");
    let words = callgrind(&file);
    let output = Command::new(&words[0])
        .args(&words[1..])
        .arg(program)
        .args(arguments)
        .output()
        .map_err(Error::doing("valgrind"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(Error::failed(format!("{}: {stderr}", program.display())));
    }
    take_total(&file)
}

fn callgrind(file: &Path) -> [String; 4] {
    let out = format!("--callgrind-out-file={}", file.display());
    let words = ["valgrind", "--quiet", "--tool=callgrind", &out];
    words.map(str::to_owned)
}

/// Reads the total from callgrind's output file and removes the file.
fn take_total(file: &Path) -> Result<f64, Error> {
    let text = fs::read_to_string(file).map_err(Error::doing(file.display()))?;
    fs::remove_file(file)?;
    let mut totals = text.lines().filter_map(|line| line.strip_prefix("totals:"));
    let total = totals.next_back().and_then(|total| total.trim().parse().ok());
    total.ok_or_else(|| Error::failed("callgrind reported no total"))
}

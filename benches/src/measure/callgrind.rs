use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Slope;
use crate::lab::tool;
use crate::process::Launch;
use crate::{Error, Lab};

/// The user instructions that one more of the `load` costs a server; `load` is given the address
/// and how much to do.
pub(crate) fn instructions(
    lab: &Lab,
    launch: &Launch,
    slope: Slope,
    mut load: impl FnMut(SocketAddr, u64) -> Result<(), Error>,
) -> Result<f64, Error> {
    tool("valgrind", "valgrind")?;
    let file = lab.work("callgrind.out");
    slope.of(|amount| {
        let server = launch.clone().under(callgrind(&file)).start()?;
        load(server.address, amount)?;
        server.end()?;
        total(&file)
    })
}

/// The user instructions of a program, from its start to its end.
pub(crate) fn program(lab: &Lab, program: &Path, arguments: &[String]) -> Result<f64, Error> {
    tool("valgrind", "valgrind")?;
    let file = lab.work("callgrind.out");
    let words = callgrind(&file);
    let out = Command::new(&words[0])
        .args(&words[1..])
        .arg(program)
        .args(arguments)
        .output()
        .map_err(Error::doing("valgrind"))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        return Err(Error::failed(format!("{}: {said}", program.display())));
    }
    total(&file)
}

fn callgrind(file: &Path) -> [String; 4] {
    let out = format!("--callgrind-out-file={}", file.display());
    let words = ["valgrind", "--quiet", "--tool=callgrind", &out];
    words.map(str::to_owned)
}

/// All instructions in a file of callgrind, which is gone then.
fn total(file: &PathBuf) -> Result<f64, Error> {
    let text = fs::read_to_string(file).map_err(Error::doing(file.display()))?;
    fs::remove_file(file)?;
    let mut totals = text.lines().filter_map(|line| line.strip_prefix("totals:"));
    let total = totals.next_back().and_then(|total| total.trim().parse().ok());
    total.ok_or_else(|| Error::failed("callgrind has counted nothing"))
}

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use serde_json::Value;

use crate::error::Error;
use crate::lab::Lab;

/// The runtime's library, as `cargo check` of a dependent program would have built it.
pub(super) struct Runtime {
    library: PathBuf,
}

impl Runtime {
    pub(super) fn build(lab: &Lab) -> Result<Self, Error> {
        lab.log("compile: cargo builds the runtime");
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["check", "--package", "fsm-runtime", "--message-format", "json", "--quiet"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .map_err(|error| Error::missing(format!("cargo: {error}")))?;
        if !output.status.success() {
            return Err(Error::failed(String::from_utf8_lossy(&output.stderr)));
        }
        let library = library(&String::from_utf8_lossy(&output.stdout))
            .ok_or_else(|| Error::failed("cargo reported no library of the runtime"))?;
        Ok(Self { library })
    }

    /// Measures one run of `rustc`, without incremental compilation.
    pub(super) fn check(&self, lab: &Lab, program: &Path) -> Result<Duration, Error> {
        let (out, dependencies) = (lab.scratch_file("checked"), self.library.parent());
        fs::create_dir_all(&out).map_err(Error::doing(out.display()))?;
        let mut rustc = Command::new("rustc");
        rustc
            .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--out-dir"])
            .arg(&out)
            .arg("--extern")
            .arg(format!("fsm_runtime={}", self.library.display()))
            .arg("-L")
            .arg(format!("dependency={}", dependencies.unwrap_or(Path::new(".")).display()))
            .arg(program);
        let start = Instant::now();
        let output = rustc.output().map_err(Error::doing("rustc"))?;
        let elapsed = start.elapsed();
        fs::remove_dir_all(&out).map_err(Error::doing(out.display()))?;
        if output.status.success() && output.stderr.is_empty() {
            Ok(elapsed)
        } else {
            Err(Error::failed(String::from_utf8_lossy(&output.stderr)))
        }
    }
}

/// The runtime's first file in cargo's JSON messages.
fn library(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.filter(|message| message["target"]["name"] == "fsm_runtime").find_map(|message| {
        let mut files = message["filenames"].as_array()?.iter();
        files.find_map(|file| Some(PathBuf::from(file.as_str()?)))
    })
}

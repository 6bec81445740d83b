use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use serde_json::Value;

use crate::{Error, Lab};

/// The runtime, built as `cargo check` of a program that uses it would have built it before.
pub(super) struct Runtime {
    library: PathBuf,
}

impl Runtime {
    pub(super) fn build(lab: &Lab) -> Result<Self, Error> {
        lab.say("compile: the runtime is built");
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let out = Command::new(cargo)
            .args(["check", "--package", "fsm-runtime", "--message-format", "json", "--quiet"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .map_err(|error| Error::missing(format!("cargo: {error}")))?;
        if !out.status.success() {
            return Err(Error::failed(String::from_utf8_lossy(&out.stderr)));
        }
        let text = String::from_utf8_lossy(&out.stdout);
        let artifacts = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let library = artifacts
            .filter(|artifact| artifact["target"]["name"] == "fsm_runtime")
            .find_map(|artifact| {
                let mut files = artifact["filenames"].as_array()?.iter();
                files.find_map(|file| Some(PathBuf::from(file.as_str()?)))
            })
            .ok_or_else(|| Error::failed("cargo does not say where the runtime is"))?;
        Ok(Self { library })
    }

    /// The time that rustc takes for a program of which it remembers nothing.
    pub(super) fn check(&self, lab: &Lab, program: &Path) -> Result<Duration, Error> {
        let (out, dependencies) = (lab.work("checked"), self.library.parent());
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
        let begin = Instant::now();
        let checked = rustc.output().map_err(Error::doing("rustc"))?;
        let time = begin.elapsed();
        fs::remove_dir_all(&out).map_err(Error::doing(out.display()))?;
        if checked.status.success() && checked.stderr.is_empty() {
            Ok(time)
        } else {
            Err(Error::failed(String::from_utf8_lossy(&checked.stderr)))
        }
    }
}

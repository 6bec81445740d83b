use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::error::Error;
use crate::lab::Lab;
use crate::load::resp::{self, KEYS};

/// The longest time for an answer. It is long because servers under valgrind are slow.
const TIMEOUT: &str = "60s";

/// The program `loadgen` of the examples.
#[derive(Debug)]
pub(crate) struct Loadgen {
    program: PathBuf,
}

/// A closed loop of one command of Redis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Commands {
    pub(crate) command: resp::Command,
    pub(crate) connections: usize,
    /// Commands in flight on each connection.
    pub(crate) depth: usize,
}

impl Loadgen {
    pub(crate) fn build(lab: &Lab) -> Result<Self, Error> {
        lab.log("cargo builds `loadgen`");
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["build", "--quiet", "--release", "--package", "fsm-examples"])
            .args(["--bin", "loadgen", "--message-format", "json"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .map_err(|error| Error::missing(format!("cargo: {error}")))?;
        if !output.status.success() {
            return Err(Error::failed(String::from_utf8_lossy(&output.stderr)));
        }
        let program = executable(&String::from_utf8_lossy(&output.stdout))
            .ok_or_else(|| Error::failed("cargo reported no program `loadgen`"))?;
        Ok(Self { program })
    }

    /// Makes `count` commands, whose keys are those of [`resp::fill`].
    pub(crate) fn run(
        &self,
        address: SocketAddr,
        commands: Commands,
        count: u64,
    ) -> Result<(), Error> {
        let sets = if commands.command == resp::Command::Set { "100" } else { "0" };
        let output = Command::new(&self.program)
            .args(["--resp", &address.to_string(), "--requests", &count.to_string()])
            .args(["--connections", &commands.connections.to_string()])
            .args(["--pipeline", &commands.depth.to_string()])
            .args(["--keys", &KEYS.to_string(), "--sets", sets, "--timeout", TIMEOUT, "--json"])
            .output()
            .map_err(Error::doing("loadgen"))?;
        let result = serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default();
        if result["requests"] == count && result["errors"] == 0 && result["misses"] == 0 {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(Error::failed(format!("loadgen with {count} requests: {result} {stderr}")))
    }
}

/// The program's file in cargo's JSON messages.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .filter(|message| message["target"]["name"] == "loadgen")
        .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_in_the_messages_of_cargo() {
        let messages = r#"{"target":{"name":"clap"},"executable":null}
            {"target":{"name":"loadgen"},"executable":"/a/loadgen"}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some(PathBuf::from("/a/loadgen")));
        assert_eq!(executable("{}"), None);
    }
}

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::error::Error;
use crate::lab::Lab;
use crate::load::program;
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
        Ok(Self { program: program::build(lab, "fsm-examples", "loadgen", &[])? })
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

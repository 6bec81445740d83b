use std::env;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::error::Error;
use crate::lab::Lab;

/// Builds a program of the workspace, and returns its file.
pub(crate) fn build(
    lab: &Lab,
    package: &str,
    name: &str,
    options: &[&str],
) -> Result<PathBuf, Error> {
    lab.log(&format!("cargo builds `{name}`"));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", package])
        .args(["--bin", name, "--message-format", "json"])
        .args(options)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|error| Error::missing(format!("cargo: {error}")))?;
    if !output.status.success() {
        return Err(Error::failed(String::from_utf8_lossy(&output.stderr)));
    }
    executable(name, &String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| Error::failed(format!("cargo reported no program `{name}`")))
}

/// The program's file in cargo's JSON messages.
fn executable(name: &str, messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_in_the_messages_of_cargo() {
        let messages = r#"
            {"target":{"name":"bytes"},"executable":null}
            {"target":{"name":"loadgen"},"executable":"/a/loadgen"}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(executable("loadgen", messages), Some(PathBuf::from("/a/loadgen")));
        assert_eq!(executable("kv", messages), None);
    }
}

//! The features with which cargo builds each package.

use std::collections::BTreeSet;
use std::process::Command;

/// The packages that a command of cargo builds for this machine, each with its version and features. `arguments`
/// choose packages and kinds of dependencies as for `cargo tree`.
pub(crate) fn of(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["tree", "--offline", "--prefix", "none", "--format", "{p} {f}"])
        .args(arguments)
        // The root of the workspace, where `cargo test` without arguments takes the default members.
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo should run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| line.trim_end_matches(" (*)").trim_end().to_owned()).collect()
}

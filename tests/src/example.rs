use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

/// The path of the program `name` of the package `fsm-examples`.
///
/// It is built in the profile of this test, for which its libraries are built already, or in the one
/// that `FSM_PROFILE` names, such as `release`.
///
/// With `FSM_KV=/path/to/program` the tests of `kv` run another program that takes the same
/// options; so do `FSM_DOCSERVER` and the others.
pub fn example(name: &str) -> PathBuf {
    static BUILT: LazyLock<Mutex<HashMap<String, PathBuf>>> = LazyLock::new(Mutex::default);
    if let Some(program) = std::env::var_os(format!("FSM_{}", name.to_uppercase())) {
        return program.into();
    }
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(name.to_owned()).or_insert_with(|| build(name)).clone()
}

/// A command of cargo that builds as one from a shell does. A test has variables of its package, such as
/// `CARGO_PKG_NAME`, and a build script that looks at one of these would run again, with all that depends on it.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    let of_the_test = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
            .iter()
            .any(|part| name.starts_with(part))
            || name == "CARGO_PRIMARY_PACKAGE"
    };
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(of_the_test) {
            cargo.env_remove(name);
        }
    }
    cargo
}

fn build(name: &str) -> PathBuf {
    let ours = if cfg!(debug_assertions) { "dev" } else { "release" };
    let profile = std::env::var("FSM_PROFILE").unwrap_or(ours.to_owned());
    let output = cargo()
        .args(["build", "--profile", &profile, "--package", "fsm-examples", "--bin", name])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo should run");
    assert!(output.status.success(), "`{name}` does not build");
    let messages = String::from_utf8_lossy(&output.stdout);
    let program = messages.lines().find_map(|message| {
        let (_, rest) = message.split_once(r#""executable":""#)?;
        Some(PathBuf::from(rest.split_once('"')?.0))
    });
    program.expect("cargo should name the program that it built")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_has_no_variables_of_the_test() {
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some(), "cargo sets them for a test");
        let cargo = cargo();
        let removed: Vec<_> = cargo.get_envs().filter(|(_, value)| value.is_none()).collect();
        for name in ["CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_MANIFEST_DIR"] {
            assert!(removed.iter().any(|(removed, _)| *removed == name), "{name}: {removed:?}");
        }
    }
}

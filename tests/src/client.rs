use std::env;
use std::io::{self, Write};
use std::path::PathBuf;

/// The client programs, and how each is installed.
const INSTALL: &[(&str, &str)] = &[
    ("redis-benchmark", "apt-get install -y redis-tools"),
    ("redis-cli", "apt-get install -y redis-tools"),
    ("python3", "apt-get install -y python3 python3-venv"),
    ("strace", "apt-get install -y strace"),
    ("valgrind", "apt-get install -y valgrind"),
    ("curl", "apt-get install -y curl"),
    ("chromium", "apt-get install -y chromium"),
    ("chromedriver", "apt-get install -y chromium-driver"),
    ("nc", "apt-get install -y netcat-openbsd"),
    ("setpriv", "apt-get install -y util-linux"),
];

/// The path of a client program.
///
/// If it is missing, the test that needs it is to end: it is skipped on a developer's machine, with
/// a line that says how to install it, and fails when the variable `CI` is set.
pub fn client(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|dir| dir.join(name)).find(|program| program.is_file());
    if found.is_none() {
        let (_, install) = INSTALL
            .iter()
            .find(|(program, _)| *program == name)
            .expect("a client program should be in the list of how to install it");
        missing(&format!("`{name}` is missing; install it with `{install}`"));
    }
    found
}

/// Says that a test is skipped, and why; fails when the variable `CI` is set.
pub fn missing(why: &str) {
    assert!(env::var_os("CI").is_none(), "{why}");
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    // Not by `eprintln!`, which shows nothing of a test that passes.
    let _ = writeln!(io::stderr(), "skipped {test}: {why}");
}

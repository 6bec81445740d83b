use std::env;
use std::io::{self, Write};
use std::path::PathBuf;

/// The client programs, and the commands that install them.
const INSTALL: &[(&str, &str)] = &[
    ("redis-benchmark", "apt-get install -y redis-tools"),
    ("redis-server", "apt-get install -y redis-server"),
    ("redis-cli", "apt-get install -y redis-tools"),
    ("python3", "apt-get install -y python3 python3-venv"),
    ("strace", "apt-get install -y strace"),
    ("valgrind", "apt-get install -y valgrind"),
    ("curl", "apt-get install -y curl"),
    ("openssl", "apt-get install -y openssl"),
    ("haproxy", "apt-get install -y haproxy"),
    ("chromium", "apt-get install -y chromium"),
    ("chromedriver", "apt-get install -y chromium-driver"),
    ("nc", "apt-get install -y netcat-openbsd"),
    ("socat", "apt-get install -y socat"),
    ("faketime", "apt-get install -y faketime"),
    ("nginx", "apt-get install -y nginx-light"),
    ("slowhttptest", "apt-get install -y slowhttptest"),
    ("dig", "apt-get install -y bind9-dnsutils"),
    ("nsd", "apt-get install -y nsd"),
    ("wrk", "apt-get install -y wrk"),
    ("h2load", "apt-get install -y nghttp2-client"),
    ("systemd-analyze", "apt-get install -y systemd"),
    ("setpriv", "apt-get install -y util-linux"),
];

/// The path of a client program.
///
/// If it is missing, the test that needs it must return: it is skipped on a developer's machine,
/// with a line that says how to install the program, and fails if the variable `CI` is set.
pub fn client(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|dir| dir.join(name)).find(|program| program.is_file());
    if found.is_none() {
        let (_, install) = INSTALL
            .iter()
            .find(|(program, _)| *program == name)
            .expect("a client program should be in the list of how to install it");
        skip(&format!("`{name}` is missing; install it with `{install}`"));
    }
    found
}

/// Reports that a test is skipped, and why; fails if the variable `CI` is set.
pub fn skip(why: &str) {
    assert!(env::var_os("CI").is_none(), "{why}");
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    // Not `eprintln!`, whose output the test harness captures if the test passes.
    let _ = writeln!(io::stderr(), "skipped {test}: {why}");
}

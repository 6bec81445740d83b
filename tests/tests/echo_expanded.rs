//! The example `echo_expanded` is `echo` with the expansion of its machine, taken from a snapshot
//! of the macro's tests. `BLESS=1` rewrites it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

/// The lints that rustc reports in no code that a macro wrote, and in this copy of it.
const LINTS: &str = "#![allow(unused_imports, unused_qualifications)]\n";

#[test]
fn the_expanded_echo_is_the_expansion_of_echo() {
    let echo = read("examples/src/bin/echo.rs");
    let machine = read("fsm-macros/src/expand/snapshots/echo.rs");
    assert!(echo.contains(&machine), "the snapshot `echo` of the macro has another machine");
    let expansion = read("fsm-macros/src/expand/snapshots/echo.txt");
    let about =
        "// The expansion of the enum in `echo.rs` by `#[state_machine]`, compared by a test.\n";
    let program = echo
        .replace(&machine, &format!("{about}{expansion}"))
        .replace("--bin echo`", "--bin echo_expanded`")
        .replacen("\nuse ", &format!("\n{LINTS}\nuse "), 1);
    let made = with_comments(&formatted(&program));
    let path = root().join("examples/src/bin/echo_expanded.rs");
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &made).expect("the example can be written");
    }
    let found = fs::read_to_string(&path).expect("the example can be read");
    for (line, (made, found)) in made.lines().zip(found.lines()).enumerate() {
        assert_eq!(found, made, "echo_expanded.rs:{}; BLESS=1 writes it anew", line + 1);
    }
    assert_eq!(made.lines().count(), found.lines().count());
}

/// The directory of the workspace.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("the file can be read")
}

fn formatted(program: &str) -> String {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("rustfmt should be installed");
    let mut input = rustfmt.stdin.take().expect("it is piped");
    input.write_all(program.as_bytes()).expect("rustfmt reads");
    drop(input);
    let formatted = rustfmt.wait_with_output().expect("rustfmt ends");
    assert!(formatted.status.success());
    String::from_utf8(formatted.stdout).expect("Rust is UTF-8")
}

/// Replaces doc attributes by the equivalent comments.
fn with_comments(program: &str) -> String {
    let mut text = String::new();
    for line in program.lines() {
        let code = line.trim_start();
        let docs = code.strip_prefix("#[doc = \"").and_then(|rest| rest.strip_suffix("\"]"));
        let Some(docs) = docs else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let docs = docs.replace("\\n", "\n").replace("\\\"", "\"");
        assert!(!docs.contains('\\'), "unescape this as well: {docs}");
        let indent = &line[..line.len() - code.len()];
        for docs in docs.split('\n') {
            let space = if docs.is_empty() || docs.starts_with(' ') { "" } else { " " };
            text.push_str(format!("{indent}///{space}{docs}").trim_end());
            text.push('\n');
        }
    }
    text
}

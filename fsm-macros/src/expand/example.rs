//! The example `echo_expanded` is `echo` with what the macro makes of it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::{env, fs};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/src/bin");
const ATTRIBUTE: &str = "#[state_machine";

#[test]
fn the_expanded_echo_is_the_expansion_of_echo() {
    let path = format!("{EXAMPLES}/echo_expanded.rs");
    let made = expanded(&fs::read_to_string(format!("{EXAMPLES}/echo.rs")).unwrap());
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    for (line, (made, found)) in made.lines().zip(found.lines()).enumerate() {
        assert_eq!(found, made, "echo_expanded.rs:{}; BLESS=1 writes it anew", line + 1);
    }
    assert_eq!(made.lines().count(), found.lines().count());
}

/// The program with its machine expanded.
fn expanded(program: &str) -> String {
    let start = program.find(ATTRIBUTE).unwrap();
    let end = start + program[start..].find("\n}\n").unwrap() + 2;
    let machine = &program[start..end];
    let (attribute, item) = machine.split_at(machine.find(")]\n").unwrap() + 2);
    let args = &attribute[ATTRIBUTE.len() + 1..attribute.len() - 2];
    let tokens = crate::attribute(args.parse().unwrap(), item.parse().unwrap());
    let about = "// What `#[state_machine]` makes of the enum in `echo.rs`, compared by a test.\n";
    let rest = program[end..].replace("--bin echo", "--bin echo_expanded");
    let head = program[..start].replace("--bin echo,", "--bin echo_expanded,");
    let tokens = tokens.to_string().replace("# [", "#[");
    with_comments(&formatted(&format!("{head}{about}{tokens}\n{rest}")))
}

fn formatted(program: &str) -> String {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path", concat!(env!("CARGO_MANIFEST_DIR"), "/..")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("rustfmt should be installed");
    rustfmt.stdin.take().unwrap().write_all(program.as_bytes()).unwrap();
    let formatted = rustfmt.wait_with_output().unwrap();
    assert!(formatted.status.success());
    String::from_utf8(formatted.stdout).unwrap()
}

/// Doc attributes as the comments that they stand for.
fn with_comments(program: &str) -> String {
    let mut text = String::new();
    for line in program.lines() {
        let code = line.trim_start();
        let docs = code.strip_prefix("#[doc = ").and_then(|rest| rest.strip_suffix(']'));
        let docs = docs.and_then(|docs| syn::parse_str::<syn::LitStr>(docs).ok());
        let Some(docs) = docs.map(|docs| docs.value()) else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let indent = &line[..line.len() - code.len()];
        for docs in docs.split('\n') {
            let space = if docs.is_empty() || docs.starts_with(' ') { "" } else { " " };
            text.push_str(format!("{indent}///{space}{docs}").trim_end());
            text.push('\n');
        }
    }
    text
}

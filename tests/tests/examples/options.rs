//! The servers speak one command line: the same words for the same things.

use std::os::unix::net::UnixStream;
use std::process::Command;

use fsm_tests::{Connection, Server, TIMEOUT, TempDir, example, run};

const SERVERS: [(&str, &str); 5] =
    [("echo", "7007"), ("lines", "7008"), ("room", "7009"), ("docserver", "7070"), ("kv", "6380")];

#[test]
fn the_same_options_have_the_same_words() {
    let options = |name| {
        let ran = run(Command::new(example(name)).arg("--help"), TIMEOUT);
        assert!(ran.status.success() && ran.stderr.is_empty(), "{name}: {ran:?}");
        ran.stdout
    };
    for (name, port) in SERVERS {
        let help = options(name);
        for words in [
            "--listen <ADDRESS>",
            "--port <PORT>",
            "--max-connections <N>",
            "--drain-within <TIME>",
            "--log-level <LEVEL>",
            "--version",
            "unix:PATH",
            &format!("[default: {port}]"),
        ] {
            assert!(help.contains(words), "{name}: no `{words}` in:\n{help}");
        }
        // Its own description, and not that of the options.
        assert!(!help.starts_with("Usage") && !help.starts_with("The options"), "{name}:\n{help}");
    }
}

#[test]
fn several_addresses() {
    let scratch = TempDir::new("addresses");
    for (name, _) in SERVERS {
        let socket = scratch.path().join(format!("{name}.sock"));
        let unix = format!("unix:{}", socket.display());
        let data = scratch.path().join("data");
        let mut command = Command::new(example(name));
        command.args(["--listen", "127.0.0.1:0", "--listen", &unix, "--drain-within", "5s"]);
        if name == "docserver" {
            command.arg("--data").arg(data);
        }
        let server = Server::start(&mut command);
        server.logs(&unix);
        drop(Connection::new(server.address()));
        drop(UnixStream::connect(&socket).expect("it should listen there"));
        server.stop();
    }
}

#[test]
fn wrong_values() {
    for (name, _) in SERVERS {
        for (option, value) in [
            ("--listen", "nonsense"),
            ("--port", "65536"),
            ("--max-connections", "0"),
            ("--max-connections", "33554433"),
            ("--max-connections", "18446744073709551616"),
            ("--drain-within", "5"),
            ("--log-level", "loud"),
        ] {
            let ran = run(Command::new(example(name)).args([option, value]), TIMEOUT);
            assert_eq!(ran.status.code(), Some(2), "{name} {option}: {ran:?}");
            let named = ran.stderr.contains(option) && ran.stderr.contains(value);
            assert!(named, "{name} {option}: {ran:?}");
        }
    }
}

#[test]
fn a_second_process_shares_the_port_if_both_say_so() {
    let start = |address: &str, options: &[&str]| {
        let mut command = Command::new(example("echo"));
        Server::try_start(command.args(["--listen", address]).args(options))
    };
    let first = start("127.0.0.1:0", &["--reuse-port"]).expect("it starts");
    let address = first.address().to_string();
    start(&address, &[]).expect_err("the port is not its own");
    let second = start(&address, &["--reuse-port"]).expect("it starts beside the first one");
    first.stop();
    let mut client = Connection::new(second.address());
    client.send("hello\n");
    assert_eq!(client.line(), "hello");
    drop(client);
    second.stop();
}

//! How `docserver` starts, and what it says when it cannot.

#![cfg(unix)]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use fsm_tests::{Connection, Docs, Failure, SOON, Scratch, Server, example, get, run};

fn docserver(options: &[&str]) -> Command {
    let mut command = Command::new(example("docserver"));
    command.args(options);
    command
}

#[test]
fn help_says_what_each_option_is_for() {
    let ran = run(&mut docserver(&["--help"]), SOON);
    assert!(ran.status.success(), "{ran:?}");
    for word in [
        "--listen",
        "--data",
        "--max-size",
        "--max-clients",
        "--threads",
        "--cap",
        "--index-threads",
        "--index-queue",
        "--index-delay",
        "--single-pool",
        "--diagram",
        "--log",
        "SIGTERM",
        "7070",
    ] {
        assert!(ran.stdout.contains(word), "no `{word}` in:\n{}", ran.stdout);
    }
    let ran = run(&mut docserver(&["--version"]), SOON);
    assert!(ran.status.success() && ran.stdout.starts_with("docserver "), "{ran:?}");
}

/// It needs no directory, and so makes none, and is there beside a server that runs.
#[test]
fn the_diagram_shows_all_pools() {
    let scratch = Scratch::new("docs");
    let data = scratch.path().join("data");
    let ran = run(docserver(&["--diagram", "--data"]).arg(&data), SOON);
    assert!(ran.status.success(), "{ran:?}");
    for word in ["flowchart", "spool", "index", "catalog", "admin", "-->"] {
        assert!(ran.stdout.contains(word), "no `{word}` in:\n{}", ran.stdout);
    }
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    assert!(!data.exists(), "it should make no directory");

    let server = Server::start(&mut Docs::command(&data));
    let beside = run(docserver(&["--diagram", "--data"]).arg(&data), SOON);
    assert_eq!((beside.status.code(), beside.stdout), (Some(0), ran.stdout), "{}", beside.stderr);
    server.stop();
}

#[test]
fn wrong_options() {
    let scratch = Scratch::new("docs");
    let data = scratch.path().to_str().expect("a path in UTF-8");
    for (options, words) in [
        (&["--listen", "nonsense"][..], ["nonsense", "--listen"]),
        (&["--listen", "127.0.0.1"], ["127.0.0.1", "--listen"]),
        (&["--listen", "127.0.0.1:70000"], ["70000", "--listen"]),
        (&["--max-size", "12parsecs"], ["12parsecs", "--max-size"]),
        (&["--max-size", "99999999999GiB"], ["too large", "--max-size"]),
        (&["--max-size", "-1"], ["-1", "--"]),
        (&["--max-size", ""], ["number and a unit", "--max-size"]),
        (&["--max-clients", "many"], ["many", "--max-clients"]),
        (&["--threads", "0"], ["zero", "--threads"]),
        (&["--threads", "-1"], ["-1", "--"]),
        (&["--max-clients", "0"], ["zero", "--max-clients"]),
        (&["--cap", "0"], ["zero", "--cap"]),
        (&["--index-threads", "0"], ["zero", "--index-threads"]),
        (&["--index-queue", "0"], ["zero", "--index-queue"]),
        (&["--index-delay", "5"], ["not a unit", "--index-delay"]),
        (&["--log", "loud"], ["loud", "--log"]),
        (&["--thread", "4"], ["--thread", "--threads"]),
        (&["more"], ["more", "unexpected"]),
    ] {
        let options = [&["--data", data], options].concat();
        let said = refused(docserver(&options));
        assert!(words.iter().all(|word| said.contains(word)), "{options:?}: {said}");
    }
    assert!(fs::read_dir(data).is_ok());
}

#[test]
fn a_directory_in_use() {
    let docs = Docs::new(&[]);
    docs.put("a", b"one").expect(201);
    let scratch = docs.stop();
    let first = Server::start(&mut Docs::command(scratch.path()));
    let said = refused(Docs::command(scratch.path()));
    let path = scratch.path().display().to_string();
    assert!(said.contains("another process uses") && said.contains(&path), "{said}");
    first.stop();
    // It is free again.
    let docs = Docs::over(scratch, &[]);
    assert_eq!(docs.get("/docs/a").expect(200).body, b"one");
    docs.stop();
}

#[test]
fn directories_that_are_none() {
    let scratch = Scratch::new("docs");
    let file = scratch.write("file", "precious");
    let said = refused(Docs::command(&file));
    assert!(said.contains("file"), "{said}");
    let said = refused(Docs::command(&file.join("below")));
    assert!(said.contains("below"), "{said}");
    let said = refused(Docs::command(Path::new("/proc/none")));
    assert!(said.contains("/proc/none"), "{said}");
    assert_eq!(fs::read_to_string(&file).expect("it should be there still"), "precious");
}

/// What looks like somebody else's is not touched.
#[test]
fn directories_of_somebody_else() {
    let scratch = Scratch::new("docs");
    fs::create_dir(scratch.path().join("docs")).expect("a directory can be made");
    let file = scratch.write("docs/thesis.tex", "precious");
    let said = refused(Docs::command(scratch.path()));
    assert!(said.contains("no index"), "{said}");
    assert_eq!(fs::read_to_string(file).expect("it should be there still"), "precious");

    let scratch = Scratch::new("docs");
    let file = scratch
        .write("index.sqlite", "this is no index, but it is long enough to be one".repeat(40));
    let said = refused(Docs::command(scratch.path()));
    assert!(said.contains("the index failed"), "{said}");
    assert!(fs::read(file).expect("it should be there still").starts_with(b"this is no index"));
}

#[test]
fn a_port_in_use() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port should be free");
    let address = other.local_addr().expect("it is bound").to_string();
    let scratch = Scratch::new("docs");
    let mut server = docserver(&["--listen", &address, "--data"]);
    server.arg(scratch.path());
    let said = refused(server);
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
    assert!(said.contains("another process"), "{said}");
}

/// What it prints is for whoever reads it: it also serves where nobody can.
#[test]
fn nobody_needs_to_read_how_to_try_it() {
    for stdout in ["/dev/full", "a pipe"] {
        let scratch = Scratch::new("docs");
        let mut command = Command::new("sh");
        let exec = match stdout {
            // Of a FIFO that is open for both, this shell keeps only the end to write to.
            "a pipe" => "mkfifo \"$1/fifo\"; exec 3<>\"$1/fifo\" >\"$1/fifo\" 3<&-; exec \"$0\"",
            _ => "exec > /dev/full \"$0\"",
        };
        let line = format!("{exec} --listen 127.0.0.1:0 --data \"$1/data\"");
        command.args(["-c", &line]).arg(example("docserver")).arg(scratch.path());
        let server = Server::start(&mut command);
        Connection::new(server.address()).ask(get("/docs")).expect(200);
        server.stop();
    }
}

/// Starts a server that must refuse to, with one clear sentence; this is it.
fn refused(mut server: Command) -> String {
    let Err(Failure { status, log }) = Server::try_start(&mut server) else {
        panic!("{server:?} should not start");
    };
    assert!(status.code().is_some_and(|code| code != 0), "{server:?}: {status}: {log}");
    assert!(!log.contains("panicked") && !log.contains("RUST_BACKTRACE"), "{server:?}: {log}");
    println!("{}", log.lines().next().unwrap_or_default());
    log
}

//! How `docserver` starts, and its messages when it cannot.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use fsm_tests::{Connection, Docserver, Failure, Server, TIMEOUT, TempDir, example, get, run};
#[cfg(target_os = "linux")]
use fsm_tests::{eventually, with_sockets};

fn docserver(options: &[&str]) -> Command {
    let mut command = Command::new(example("docserver"));
    command.args(options);
    command
}

#[test]
fn help_says_what_each_option_is_for() {
    let ran = run(&mut docserver(&["--help"]), TIMEOUT);
    assert!(ran.status.success(), "{ran:?}");
    for word in [
        "--listen",
        "--data",
        "--max-size",
        "--max-connections",
        "--threads",
        "--cap",
        "--idle",
        "--head-timeout",
        "--stall",
        "--body-rate",
        "--keep-alive",
        "--index-threads",
        "--index-queue",
        "--index-delay",
        "--single-pool",
        "--worker",
        "--diagram",
        "--log-level",
        "SIGTERM",
        "7070",
    ] {
        assert!(ran.stdout.contains(word), "no `{word}` in:\n{}", ran.stdout);
    }
    let ran = run(&mut docserver(&["--version"]), TIMEOUT);
    assert!(ran.status.success() && ran.stdout.starts_with("docserver "), "{ran:?}");
}

/// `--diagram` needs no directory, creates none, and works beside a running server.
#[test]
fn the_diagram_shows_all_pools() {
    let scratch = TempDir::new("docs");
    let data = scratch.path().join("data");
    let ran = run(docserver(&["--diagram", "--data"]).arg(&data), TIMEOUT);
    assert!(ran.status.success(), "{ran:?}");
    for word in ["flowchart", "spool", "index", "catalog", "admin", "-->"] {
        assert!(ran.stdout.contains(word), "no `{word}` in:\n{}", ran.stdout);
    }
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    assert!(!data.exists(), "it should make no directory");

    let server = Server::start(&mut Docserver::command(&data));
    let beside = run(docserver(&["--diagram", "--data"]).arg(&data), TIMEOUT);
    assert_eq!((beside.status.code(), beside.stdout), (Some(0), ran.stdout), "{}", beside.stderr);
    server.stop();
}

#[test]
fn wrong_options() {
    let scratch = TempDir::new("docs");
    let data = scratch.path().to_str().expect("a path in UTF-8");
    for (options, words) in [
        (&["--listen", "nonsense"][..], ["nonsense", "--listen"]),
        (&["--listen", "127.0.0.1"], ["127.0.0.1", "--listen"]),
        (&["--listen", "127.0.0.1:70000"], ["70000", "--listen"]),
        (&["--max-size", "12parsecs"], ["12parsecs", "--max-size"]),
        (&["--max-size", "99999999999GiB"], ["too large", "--max-size"]),
        (&["--max-size", "-1"], ["-1", "--"]),
        (&["--max-size", ""], ["number and a unit", "--max-size"]),
        (&["--max-connections", "many"], ["many", "--max-connections"]),
        (&["--threads", "0"], ["zero", "--threads"]),
        (&["--threads", "-1"], ["-1", "--"]),
        (&["--max-connections", "0"], ["zero", "--max-connections"]),
        (&["--cap", "0"], ["zero", "--cap"]),
        (&["--index-threads", "0"], ["zero", "--index-threads"]),
        (&["--index-queue", "0"], ["zero", "--index-queue"]),
        (&["--threads", "65"], ["at most 64", "--threads"]),
        (&["--cap", "65"], ["at most 64", "--cap"]),
        (&["--catalog-threads", "1000"], ["at most 64", "--catalog-threads"]),
        (&["--index-threads", "65"], ["at most 64", "--index-threads"]),
        (&["--index-queue", "33554433"], ["at most 33554432", "--index-queue"]),
        (&["--max-connections", "33554433"], ["at most 33554432", "--max-connections"]),
        (&["--index-delay", "5"], ["no unit", "--index-delay"]),
        (&["--idle", "0s"], ["more than 0", "--idle"]),
        (&["--head-timeout", "1441min"], ["at most 1d", "--head-timeout"]),
        (&["--stall", "soon"], ["number and a unit", "--stall"]),
        (&["--body-rate", "0B"], ["at least 1B", "--body-rate"]),
        (&["--body-rate", "1kB/s"], ["not a unit", "--body-rate"]),
        (&["--log-level", "loud"], ["loud", "--log-level"]),
        (&["--thread", "4"], ["--thread", "--threads"]),
        (&["more"], ["more", "unexpected"]),
    ] {
        let options = [&["--data", data], options].concat();
        let log = refused(docserver(&options));
        assert!(words.iter().all(|word| log.contains(word)), "{options:?}: {log}");
    }
    assert!(fs::read_dir(data).is_ok());
}

#[test]
fn a_directory_in_use() {
    let docs = Docserver::new(&[]);
    docs.put("a", b"one").expect(201);
    let scratch = docs.stop();
    let first = Server::start(&mut Docserver::command(scratch.path()));
    let log = refused(Docserver::command(scratch.path()));
    let path = scratch.path().display().to_string();
    assert!(log.contains("another process uses") && log.contains(&path), "{log}");
    first.stop();
    // The directory is free again.
    let docs = Docserver::over(scratch, &[]);
    assert_eq!(docs.get("/docs/a").expect(200).body, b"one");
    docs.stop();
}

#[test]
fn paths_that_are_no_directories() {
    let scratch = TempDir::new("docs");
    let file = scratch.write("file", "precious");
    let log = refused(Docserver::command(&file));
    assert!(log.contains("file"), "{log}");
    let log = refused(Docserver::command(&file.join("below")));
    assert!(log.contains("below"), "{log}");
    let log = refused(Docserver::command(Path::new("/proc/none")));
    assert!(log.contains("/proc/none"), "{log}");
    assert_eq!(fs::read_to_string(&file).expect("it should be there still"), "precious");
}

/// Foreign files stay untouched.
#[test]
fn foreign_directories() {
    let scratch = TempDir::new("docs");
    fs::create_dir(scratch.path().join("docs")).expect("a directory can be made");
    let file = scratch.write("docs/thesis.tex", "precious");
    let log = refused(Docserver::command(scratch.path()));
    assert!(log.contains("no index"), "{log}");
    assert_eq!(fs::read_to_string(file).expect("it should be there still"), "precious");

    let scratch = TempDir::new("docs");
    let file = scratch
        .write("index.sqlite", "this is no index, but it is long enough to be one".repeat(40));
    let log = refused(Docserver::command(scratch.path()));
    assert!(log.contains("the index failed"), "{log}");
    assert!(fs::read(file).expect("it should be there still").starts_with(b"this is no index"));
}

#[test]
fn a_port_in_use() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port should be free");
    let address = other.local_addr().expect("it is bound").to_string();
    let scratch = TempDir::new("docs");
    let mut server = docserver(&["--listen", &address, "--data"]);
    server.arg(scratch.path());
    let log = refused(server);
    assert!(log.contains(&format!("cannot listen on {address}")), "{log}");
    assert!(log.contains("another process"), "{log}");
}

#[cfg(target_os = "linux")]
#[test]
fn x15_all_sockets_of_a_name_are_served() {
    let scratch = TempDir::new("docs");
    let mut command = docserver(&["--listen", "fd:front", "--data"]);
    command.arg(scratch.path());
    let Some(mut command) = with_sockets("front:front", &command) else { return };
    let server = Server::start(&mut command);
    eventually("both sockets are used", || server.addresses().len() == 2);
    for address in server.addresses() {
        Connection::new(address).ask(get("/docs")).expect(200);
    }
    server.stop();
}

/// The server works also if its standard output cannot be written.
#[test]
fn a_server_runs_without_a_reader_of_its_output() {
    for stdout in ["/dev/full", "a pipe", "a full pipe"] {
        let scratch = TempDir::new("docs");
        let mut command = Command::new("sh");
        let exec = match stdout {
            // The shell opens a FIFO for reading and writing, and keeps only the end for writing.
            "a pipe" => "mkfifo \"$1/fifo\"; exec 3<>\"$1/fifo\" >\"$1/fifo\" 3<&-; exec \"$0\"",
            // It stays open for reading, too, and nobody reads.
            "a full pipe" => {
                "mkfifo \"$1/fifo\"; exec 3<>\"$1/fifo\"; \
                 timeout 1 dd if=/dev/zero bs=1 count=70000 >&3 2>&-; exec >&3 \"$0\""
            }
            _ => "exec > /dev/full \"$0\"",
        };
        let line = format!("{exec} --listen 127.0.0.1:0 --data \"$1/data\"");
        command.args(["-c", &line]).arg(example("docserver")).arg(scratch.path());
        let server = Server::start(&mut command);
        Connection::new(server.address()).ask(get("/docs")).expect(200);
        server.stop();
    }
}

/// Starts a server that must fail with one clear message, and returns it.
fn refused(mut server: Command) -> String {
    let Err(Failure { status, log }) = Server::try_start(&mut server) else {
        panic!("{server:?} should not start");
    };
    assert!(status.code().is_some_and(|code| code != 0), "{server:?}: {status}: {log}");
    assert!(!log.contains("panicked") && !log.contains("RUST_BACKTRACE"), "{server:?}: {log}");
    println!("{}", log.lines().next().unwrap_or_default());
    log
}

//! The example `kv-client`, with `kv` and with the Redis of this machine.

use std::net::SocketAddr;
use std::process::Command;

use fsm_tests::{Redis, RunOutput, Server, TIMEOUT, client, example, run};

/// Gives the server at this address a command.
fn command(server: SocketAddr, words: &[&str]) -> RunOutput {
    let mut program = Command::new(example("kv-client"));
    run(program.args(["--server", &server.to_string()]).args(words), TIMEOUT)
}

/// It prints the same text as `redis-cli` on a terminal.
fn replies(server: SocketAddr) {
    for (words, printed) in [
        ("SET greeting hello", "OK"),
        ("GET greeting", "\"hello\""),
        ("GET nothing", "(nil)"),
        ("INCRBY number -3", "(integer) -3"),
        ("KEYS nothing*", "(empty array)"),
        ("RPUSH list a b", "(integer) 2"),
        ("LRANGE list 0 -1", "1) \"a\"\n2) \"b\""),
    ] {
        let ran = command(server, &words.split(' ').collect::<Vec<_>>());
        assert!(ran.status.success() && ran.stderr.is_empty(), "{words}: {ran:?}");
        assert_eq!(ran.stdout, format!("{printed}\n"), "{words}");
    }
    let long = "x".repeat(100_000);
    assert_eq!(command(server, &["SET", "long", &long]).stdout, "OK\n");
    assert_eq!(command(server, &["GET", "long"]).stdout, format!("\"{long}\"\n"));
    let refused = command(server, &["INCR", "list"]);
    assert!(refused.stdout.starts_with("(error) WRONGTYPE"), "{refused:?}");
    assert_eq!(refused.status.code(), Some(1));
}

#[test]
fn replies_of_kv() {
    let server = Server::kv(&[]);
    replies(server.address());
    server.stop();
}

#[test]
fn replies_of_redis() {
    let Some(program) = client("redis-server") else { return };
    replies(Redis::start(&program).address());
}

#[test]
fn a_server_that_is_not_there_has_not_got_the_command() {
    let mut server = Server::kv(&[]);
    let address = server.address();
    server.signal("TERM");
    server.wait(TIMEOUT);
    let ran = command(address, &["PING"]);
    assert_eq!((ran.status.code(), ran.stdout.as_str()), (Some(3), ""), "{ran:?}");
    assert_eq!(
        ran.stderr,
        "kv-client: the command was not sent: the server cannot be reached, or all connections are busy\n"
    );
}

//! `kv` replies as Redis does: `redis/differential.txt` and `redis/resp3.txt` hold the replies of
//! Redis, and `live` asks a Redis that is installed.

mod commands;
mod live;
mod streams;
mod values;

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;

use fsm_tests::{Connection, Server};

#[test]
fn replies_are_those_of_redis() {
    compare(concat!(env!("CARGO_MANIFEST_DIR"), "/redis/differential.txt"), Connection::new);
}

#[test]
fn replies_of_resp3_are_those_of_redis() {
    compare(concat!(env!("CARGO_MANIFEST_DIR"), "/redis/resp3.txt"), |address| {
        let mut connection = Connection::new(address);
        assert!(connection.command(&["HELLO", "3"]).starts_with(b"%7\r\n"));
        connection
    });
}

/// Compares the replies of `kv` with those in a file. A line `> COMMAND` is sent as an inline command;
/// the next line is the reply, escaped. See `redis/record.py`.
fn compare(path: &str, connect: impl Fn(SocketAddr) -> Connection) {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let server = Server::kv(&[]);
    let mut connection = connect(server.address());
    let (mut commands, mut differences) = (0, String::new());
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(command) = line.strip_prefix("> ") else {
            assert!(line.is_empty() || line.starts_with('#'), "line {}: no command", number + 1);
            continue;
        };
        let (_, wanted) = lines.next().expect("a reply should follow the last command");
        let got = ask(&mut connection, command);
        if got != wanted {
            let at = number + 1;
            let _ = write!(differences, "\n{at}: {command}\n  Redis: {wanted}\n  kv:    {got}");
        }
        commands += 1;
        if command.eq_ignore_ascii_case("QUIT") || wanted.starts_with("-ERR Protocol error") {
            connection.expect_end();
            connection = connect(server.address());
        } else if got.starts_with("no reply") {
            connection = connect(server.address());
        }
    }
    let count = differences.lines().count() / 3;
    println!("{commands} commands, {count} differences");
    assert!(commands > 0 && differences.is_empty(), "{count} of {commands} differ:{differences}");
    server.stop();
}

fn ask(connection: &mut Connection, command: &str) -> String {
    connection.send(format!("{command}\r\n"));
    match connection.try_reply() {
        Ok(reply) if reply.is_empty() => "no reply: the stream has ended".to_owned(),
        Ok(reply) => escape(&reply),
        Err(error) => format!("no reply: {error}"),
    }
}

/// Escapes a reply in the same way as `record.py`.
fn escape(reply: &[u8]) -> String {
    let mut text = String::new();
    for byte in reply {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => drop(write!(text, "\\x{byte:02x}")),
        }
    }
    text
}

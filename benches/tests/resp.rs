//! The RESP servers behave as their figures assume.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/server.rs"]
mod server;

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use server::Server;

fn each(check: impl Fn(&str, &Server)) {
    server::each("resp", &["ours", "mio", "tokio", "tokio-threads", "compio"], check);
}

fn command(words: &[&[u8]]) -> Vec<u8> {
    let mut command = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        command.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        command.extend_from_slice(word);
        command.extend_from_slice(b"\r\n");
    }
    command
}

#[test]
fn commands_in_pieces_of_any_size_are_answered_in_order() {
    let commands = [
        command(&[b"PING"]),
        command(&[b"GET", b"k"]),
        command(&[b"SET", b"k", b"a\r\nb"]),
        command(&[b"GET", b"k"]),
        command(&[b"set", b"k", b""]),
        command(&[b"get", b"k"]),
        command(&[b"DEL", b"k"]),
        command(&[b"PING", b"hello"]),
    ]
    .concat();
    let answers = "+PONG\r\n$-1\r\n+OK\r\n$4\r\na\r\nb\r\n+OK\r\n$0\r\n\r\n\
                   -ERR unknown command, or a wrong number of arguments for it\r\n\
                   $5\r\nhello\r\n";
    for size in [1, 2, 7, commands.len()] {
        each(|peer, server| {
            let mut stream = server.connect();
            stream.set_nodelay(true).unwrap();
            for piece in commands.chunks(size) {
                stream.write_all(piece).unwrap();
                if size < commands.len() {
                    thread::sleep(Duration::from_micros(200));
                }
            }
            let mut received = vec![0; answers.len()];
            stream.read_exact(&mut received).unwrap_or_else(|error| panic!("{peer}: {error}"));
            assert_eq!(
                String::from_utf8_lossy(&received),
                answers,
                "{peer}, {size} bytes at a time"
            );
        });
    }
}

#[test]
fn unsent_answers_are_sent_later_complete_and_in_order() {
    const COUNT: usize = 300;
    each(|peer, server| {
        let mut stream = server.connect();
        let key = |n: usize| format!("key {n}").into_bytes();
        let value = |n: usize| vec![b'a' + u8::try_from(n % 26).unwrap(); 30_000 + n];
        for n in 0..COUNT {
            stream.write_all(&command(&[b"SET", &key(n), &value(n)])).unwrap();
        }
        let mut received = vec![0; COUNT * 5];
        stream.read_exact(&mut received).unwrap();
        assert_eq!(received, b"+OK\r\n".repeat(COUNT));
        let commands: Vec<u8> = (0..COUNT).flat_map(|n| command(&[b"GET", &key(n)])).collect();
        stream.write_all(&commands).unwrap();
        // The sleep lets all buffers between client and server fill up.
        thread::sleep(Duration::from_millis(300));
        for n in 0..COUNT {
            let value = value(n);
            let answer = [format!("${}\r\n", value.len()).as_bytes(), &value, b"\r\n"].concat();
            let mut received = vec![0; answer.len()];
            stream.read_exact(&mut received).unwrap_or_else(|error| panic!("{peer}: {error}"));
            assert!(received == answer, "{peer} sent a wrong answer to command {n}");
        }
    });
}

#[test]
fn an_invalid_command_is_refused_and_ends_the_connection() {
    let too_long = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$70000\r\n";
    for wrong in [&b"PING\r\n"[..], b"*4\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$1\r\nxyz", too_long] {
        each(|peer, server| {
            let mut stream = server.connect();
            stream.write_all(&[&command(&[b"PING"]), wrong].concat()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{peer}: {error}"));
            let refusal = answer.strip_prefix("+PONG\r\n").unwrap_or_else(|| panic!("{peer}"));
            let wrong = wrong.escape_ascii();
            assert!(refusal.starts_with("-ERR Protocol error"), "{peer}, {wrong}: {refusal}");
        });
    }
}

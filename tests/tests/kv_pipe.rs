//! `redis-cli --pipe` loads a million keys into `kv` and loses none.

#![cfg(unix)]

use std::io::{BufWriter, Write};
use std::process::Command;
use std::time::Duration;

use fsm_tests::{Connection, Server, client, encode, run_with_input};

const KEYS: usize = 1_000_000;

#[test]
fn a_million_sets() {
    let Some(program) = client("redis-cli") else { return };
    let server = Server::kv(&[]);
    let ran = run_with_input(
        Command::new(program).args(["-p", &server.port(), "--pipe"]),
        Duration::from_secs(120),
        |input| {
            let mut input = BufWriter::new(input);
            for n in 0..KEYS {
                input.write_all(&encode(&["SET", &key(n), &value(n)]))?;
            }
            input.flush()
        },
    );
    println!("redis-cli --pipe: {KEYS} SETs in {:.1?}", ran.took);
    assert!(ran.status.success(), "{ran:?}");
    assert!(ran.stdout.ends_with(&format!("errors: 0, replies: {KEYS}\n")), "{ran:?}");

    let mut connection = Connection::new(server.address());
    connection.expect(&["DBSIZE"], &format!(":{KEYS}\r\n"));
    let sample = (0..KEYS).step_by(997).chain([KEYS - 1]);
    for n in sample {
        let value = value(n);
        connection.expect(&["GET", &key(n)], &format!("${}\r\n{value}\r\n", value.len()));
    }
    connection.expect(&["GET", &key(KEYS)], "$-1\r\n");
    println!("bytes of memory a key: {}", server.anonymous() / KEYS as u64);
    server.stop();
}

fn key(n: usize) -> String {
    format!("key:{n}")
}

/// A different value for each key, of varying length.
fn value(n: usize) -> String {
    format!("{n:0width$}", width = 1 + n % 40)
}

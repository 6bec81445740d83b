//! `redis-cli --pipe` loads a million keys into `kv` and loses none.

use std::io::{BufWriter, Write};
use std::process::Command;
use std::time::Duration;

use fsm_tests::{Connection, Server, all_in_ci, client, encode, run_with_input};

#[test]
fn a_million_sets() {
    let keys = all_in_ci(1_000_000, 100_000);
    let Some(program) = client("redis-cli") else { return };
    let server = Server::kv(&[]);
    let ran = run_with_input(
        Command::new(program).args(["-p", &server.port(), "--pipe"]),
        Duration::from_secs(120),
        move |input| {
            let mut input = BufWriter::new(input);
            for n in 0..keys {
                input.write_all(&encode(&["SET", &key(n), &value(n)]))?;
            }
            input.flush()
        },
    );
    println!("redis-cli --pipe: {keys} SETs in {:.1?}", ran.took);
    assert!(ran.status.success(), "{ran:?}");
    assert!(ran.stdout.ends_with(&format!("errors: 0, replies: {keys}\n")), "{ran:?}");

    let mut connection = Connection::new(server.address());
    connection.expect(&["DBSIZE"], &format!(":{keys}\r\n"));
    let sample = (0..keys).step_by(997).chain([keys - 1]);
    for n in sample {
        let value = value(n);
        connection.expect(&["GET", &key(n)], &format!("${}\r\n{value}\r\n", value.len()));
    }
    connection.expect(&["GET", &key(keys)], "$-1\r\n");
    println!("bytes of memory a key: {}", server.anonymous() / keys as u64);
    server.stop();
}

fn key(n: usize) -> String {
    format!("key:{n}")
}

/// A different value for each key, of varying length.
fn value(n: usize) -> String {
    format!("{n:0width$}", width = 1 + n % 40)
}

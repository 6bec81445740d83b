//! Large commands, and the option that bounds them.

use fsm_tests::{Connection, Server, one_at_a_time};

/// A string of 64 MiB and a command of a million keys, which clients of Redis may send.
#[test]
fn large_commands_are_served() {
    let _exclusive = one_at_a_time();
    let value = vec![b'v'; 64 * 1024 * 1024];
    let mut many = vec!["DEL"];
    many.resize(1024 * 1024 + 1, "large");
    let server = Server::kv(&[]);
    let mut connection = Connection::new(server.address());
    connection.expect(&[b"SET", &b"large"[..], &value], "+OK\r\n");
    connection.expect(&["STRLEN", "large"], ":67108864\r\n");
    assert_eq!(
        connection.command(&["GET", "large"]).len(),
        value.len() + "$67108864\r\n\r\n".len()
    );
    connection.expect(&many, ":1\r\n");
    server.stop();
}

#[test]
fn the_longest_argument_is_configured() {
    let _exclusive = one_at_a_time();
    let server = Server::kv(&["--proto-max-bulk-len", "1mb"]);
    let mut connection = Connection::new(server.address());
    connection.expect(&["SET", "k", &"v".repeat(1024 * 1024)], "+OK\r\n");
    let too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
    connection.expect(&["APPEND", "k", "v"], too_long);
    connection.expect(&["SETRANGE", "k", "1048576", "v"], too_long);
    connection.expect(
        &["CONFIG", "GET", "proto-max*"],
        "*2\r\n$18\r\nproto-max-bulk-len\r\n$7\r\n1048576\r\n",
    );
    connection.send("*1\r\n$1048577\r\n");
    assert_eq!(connection.reply(), b"-ERR Protocol error: invalid bulk length\r\n");
    connection.expect_end();
    server.stop();
    // A command of more than 1 GiB is refused before it is complete.
    let server = Server::kv(&["--proto-max-bulk-len", "1gb"]);
    let mut connection = Connection::new(server.address());
    connection.send("*2\r\n$4\r\nECHO\r\n$1073741824\r\n");
    let too_big = "-ERR Protocol error: the command is larger than 1 GiB\r\n";
    assert_eq!(String::from_utf8_lossy(&connection.reply()), too_big);
    connection.expect_end();
    server.stop();
}

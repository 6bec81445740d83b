//! MULTI, EXEC, DISCARD, WATCH and UNWATCH, with several clients.

use fsm_tests::{Connection, Server, encode};

#[test]
fn another_client_sees_all_of_a_transaction_or_nothing() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let mut other = Connection::new(server.address());
    one.expect(&["MULTI"], "+OK\r\n");
    one.expect(&["INCR", "n"], "+QUEUED\r\n");
    one.expect(&["LPUSH", "n", "x"], "+QUEUED\r\n");
    one.expect(&["GET", "n"], "+QUEUED\r\n");
    other.expect(&["EXISTS", "n"], ":0\r\n");
    let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    one.expect(&["EXEC"], &format!("*3\r\n:1\r\n{wrong}$1\r\n1\r\n"));
    other.expect(&["GET", "n"], "$1\r\n1\r\n");
    server.stop();
}

/// Two clients increment a number with WATCH, as the manual of Redis does.
#[test]
fn of_two_clients_that_watch_a_key_one_succeeds() {
    let server = Server::kv(&[]);
    let mut clients = [Connection::new(server.address()), Connection::new(server.address())];
    for client in &mut clients {
        client.expect(&["WATCH", "n"], "+OK\r\n");
        client.expect(&["GET", "n"], "$-1\r\n");
        client.expect(&["MULTI"], "+OK\r\n");
        client.expect(&["SET", "n", "1"], "+QUEUED\r\n");
    }
    clients[1].expect(&["EXEC"], "*1\r\n+OK\r\n");
    clients[0].expect(&["EXEC"], "*-1\r\n");
    // A transaction ends the watch.
    clients[1].expect(&["SET", "n", "2"], "+OK\r\n");
    clients[0].expect(&["MULTI"], "+OK\r\n");
    clients[0].expect(&["EXEC"], "*0\r\n");
    server.stop();
}

#[test]
fn a_client_that_leaves_in_a_transaction_changes_nothing() {
    let server = Server::kv(&[]);
    let mut leaving = Connection::new(server.address());
    leaving.expect(&["MULTI"], "+OK\r\n");
    leaving.expect(&["SET", "k", "v"], "+QUEUED\r\n");
    leaving.expect(&["QUIT"], "+OK\r\n");
    leaving.expect_end();
    Connection::new(server.address()).expect(&["EXISTS", "k"], ":0\r\n");
    server.stop();
}

#[test]
fn the_queue_of_a_transaction_is_bounded() {
    let server = Server::kv(&["--proto-max-bulk-len", "1mb"]);
    let mut client = Connection::new(server.address());
    let set = encode(&["SET", "k", &"v".repeat(1_000_000)]);
    client.expect(&["MULTI"], "+OK\r\n");
    for reply in [&b"+QUEUED\r\n"[..], b"+QUEUED\r\n"] {
        client.send(&set);
        assert_eq!(client.reply(), reply);
    }
    client.send(&set);
    let refused = b"-ERR the transaction is larger than twice proto-max-bulk-len\r\n";
    assert_eq!(client.reply(), refused);
    client.expect(&["PING"], "+QUEUED\r\n");
    let error = "-EXECABORT Transaction discarded because of previous errors.\r\n";
    client.expect(&["EXEC"], error);
    client.expect(&["EXISTS", "k"], ":0\r\n");
    server.stop();
}

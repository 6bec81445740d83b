//! CLIENT and CONFIG: they show and change what concerns all connections.

use fsm_tests::{Connection, Server, encode};

fn text(connection: &mut Connection, command: &[&str]) -> String {
    String::from_utf8(connection.command(command)).expect("a reply of text")
}

fn id(connection: &mut Connection) -> String {
    text(connection, &["CLIENT", "ID"]).trim_start_matches(':').trim_end().to_owned()
}

#[test]
fn the_list_has_all_clients_until_they_leave() {
    let server = Server::kv(&[]);
    let [mut one, mut other] = [(); 2].map(|()| Connection::new(server.address()));
    one.expect(&["CLIENT", "SETNAME", "first"], "+OK\r\n");
    other.expect(&["MULTI"], "+OK\r\n");
    other.expect(&["PING"], "+QUEUED\r\n");
    let list = text(&mut one, &["CLIENT", "LIST"]);
    assert_eq!(list.matches("id=").count(), 2, "{list}");
    let address = one.socket().local_addr().expect("it is connected");
    assert!(list.contains(&format!(" addr={address} name=first age=0 idle=0 flags=N ")), "{list}");
    assert!(list.contains(" flags=x ") && list.contains(" multi=1 "), "{list}");
    assert!(list.contains(" cmd=client|list ") && list.contains(" cmd=multi "), "{list}");
    let id = id(&mut one);
    assert_eq!(text(&mut one, &["CLIENT", "LIST", "ID", &id]).matches("id=").count(), 1);
    assert!(text(&mut one, &["CLIENT", "INFO"]).contains(&format!("id={id} ")));
    other.expect(&["QUIT"], "+OK\r\n");
    other.expect_end();
    fsm_tests::eventually("the other is gone", || {
        text(&mut one, &["CLIENT", "LIST"]).matches("id=").count() == 1
    });
    server.stop();
}

/// Another connection ends at its next command, which is not run.
#[test]
fn a_killed_client_runs_no_further_command() {
    let server = Server::kv(&[]);
    let [mut one, mut other] = [(); 2].map(|()| Connection::new(server.address()));
    let other_id = id(&mut other);
    one.expect(&["CLIENT", "KILL", "ID", &other_id], ":1\r\n");
    one.expect(&["CLIENT", "KILL", "ID", &other_id], ":0\r\n");
    assert!(text(&mut one, &["CLIENT", "LIST", "ID", &other_id]).contains(" flags=A "));
    other.send(encode(&["SET", "k", "v"]));
    other.expect_end();
    one.expect(&["EXISTS", "k"], ":0\r\n");
    server.stop();
}

#[test]
fn a_client_that_kills_itself_gets_the_reply() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let address = one.socket().local_addr().expect("it is connected").to_string();
    one.expect(&["CLIENT", "KILL", "ADDR", &address], ":0\r\n");
    one.expect(&["CLIENT", "KILL", "127.0.0.1:1"], "-ERR No such client\r\n");
    one.expect(&["CLIENT", "KILL", &address], "+OK\r\n");
    one.expect_end();
    server.stop();
}

#[test]
fn config_set_changes_the_limits_of_a_running_server() {
    let server = Server::kv(&["--max-connections", "77"]);
    let mut one = Connection::new(server.address());
    one.expect(&["CONFIG", "SET", "maxmemory", "1kb", "proto-max-bulk-len", "1mb"], "+OK\r\n");
    one.expect(&["CONFIG", "GET", "maxmemory"], "*2\r\n$9\r\nmaxmemory\r\n$4\r\n1024\r\n");
    one.expect(&["CONFIG", "GET", "maxcl*"], "*2\r\n$10\r\nmaxclients\r\n$2\r\n77\r\n");
    let oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    one.expect(&["SET", "k", &"v".repeat(2000)], oom);
    let wrong = one.command(&["CONFIG", "SET", "maxmemory", "0", "databases", "9"]);
    assert!(wrong.ends_with(b"argument 'databases') - can't set immutable config\r\n"));
    one.expect(&["SET", "k", &"v".repeat(2000)], oom);
    one.send("*2\r\n$3\r\nGET\r\n$1048577\r\n");
    assert_eq!(one.reply(), b"-ERR Protocol error: invalid bulk length\r\n");
    one.expect_end();
    server.stop();
}

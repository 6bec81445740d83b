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
    drop(other);
    fsm_tests::eventually("the other is gone", || {
        text(&mut one, &["CLIENT", "LIST"]).matches("id=").count() == 1
    });
    server.stop();
}

/// The killed connections send nothing: one is idle, one has sent half a command, and one nothing at all.
#[test]
fn a_killed_client_ends_at_once() {
    let server = Server::kv(&[]);
    let mut one = Connection::new(server.address());
    let mut others = [(); 3].map(|()| Connection::new(server.address()));
    let list = |one: &mut Connection| text(one, &["CLIENT", "LIST"]).matches("id=").count();
    fsm_tests::eventually("all are there", || list(&mut one) == 4);
    others[0].expect(&["PING"], "+PONG\r\n");
    others[1].expect(&["PING"], "+PONG\r\n");
    others[1].send("*2\r\n$3\r\nGET\r\n$1");
    one.expect(&["CLIENT", "KILL", "TYPE", "normal"], ":3\r\n");
    for other in &mut others {
        other.expect_end();
    }
    fsm_tests::eventually("all have left", || list(&mut one) == 1);
    one.expect(&["CLIENT", "KILL", "TYPE", "normal"], ":0\r\n");
    server.stop();
}

#[test]
fn a_killed_client_runs_no_further_command() {
    let server = Server::kv(&[]);
    let [mut one, mut other] = [(); 2].map(|()| Connection::new(server.address()));
    let other_id = id(&mut other);
    one.expect(&["CLIENT", "KILL", "ID", &other_id], ":1\r\n");
    let _ = other.try_send(&encode(&["SET", "k", "v"]));
    assert!(!matches!(other.try_reply(), Ok(reply) if !reply.is_empty()));
    one.expect(&["EXISTS", "k"], ":0\r\n");
    server.stop();
}

#[test]
fn an_idle_client_is_disconnected_after_the_timeout_of_the_command_line() {
    let server = Server::kv(&["--timeout", "1"]);
    let [mut one, mut other] = [(); 2].map(|()| Connection::new(server.address()));
    one.expect(&["CONFIG", "GET", "timeout"], "*2\r\n$7\r\ntimeout\r\n$1\r\n1\r\n");
    other.expect(&["CONFIG", "SET", "timeout", "0"], "+OK\r\n");
    let begin = std::time::Instant::now();
    one.expect_end();
    assert!(begin.elapsed() >= std::time::Duration::from_millis(800), "{:?}", begin.elapsed());
    other.expect(&["CONFIG", "GET", "timeout"], "*2\r\n$7\r\ntimeout\r\n$1\r\n0\r\n");
    server.stop();
}

#[test]
fn config_set_timeout_holds_from_the_next_command_of_each_client() {
    let server = Server::kv(&[]);
    let [mut one, mut other] = [(); 2].map(|()| Connection::new(server.address()));
    let wrong = one.command(&["CONFIG", "SET", "timeout", "-1"]);
    assert!(wrong.ends_with(b"- argument must be between 0 and 2147483647 inclusive\r\n"));
    let wrong = one.command(&["CONFIG", "SET", "timeout", "soon"]);
    assert!(wrong.ends_with(b"- argument couldn't be parsed into an integer\r\n"));
    one.expect(&["CONFIG", "SET", "timeout", "1"], "+OK\r\n");
    other.expect(&["PING"], "+PONG\r\n");
    one.expect_end();
    other.expect_end();
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

//! A web page can have a browser send requests to `kv`, but not commands.

use std::process::Command;

use fsm_tests::{Connection, Server, TIMEOUT, client, run};

/// A form of a web page may send any bytes as the body of a POST.
#[test]
fn a_web_page_cannot_send_commands() {
    let Some(curl) = client("curl") else { return };
    let server = Server::kv(&[]);
    let mut connection = Connection::new(server.address());
    connection.expect(&["SET", "k", "v"], "+OK\r\n");
    let url = format!("http://{}/", server.address());
    for method in ["POST", "PUT"] {
        let ran = run(
            Command::new(&curl).args(["-s", "--http0.9", "--max-time", "10", "-X", method]).args([
                "-H",
                "Content-Type: text/plain",
                "--data-binary",
                "FLUSHALL\r\n",
                &url,
            ]),
            TIMEOUT,
        );
        assert!(!ran.stdout.contains("+OK"), "{ran:?}");
        connection.expect(&["EXISTS", "k"], ":1\r\n");
    }
    server.logs("possible attack");
    // The log is not flooded.
    assert_eq!(server.log().matches("possible attack").count(), 1);
    server.stop();
}

#[test]
fn lines_of_http_end_the_connection_without_an_answer() {
    let server = Server::kv(&[]);
    for line in ["POST / HTTP/1.1", "post", "Host: a", "hOST:", "\"POST\" x"] {
        let mut connection = Connection::new(server.address());
        connection.send(format!("PING\r\n{line}\r\nPING\r\n"));
        assert_eq!(connection.reply(), b"+PONG\r\n");
        connection.expect_end();
    }
    for line in ["POSTS", "Host", "GET"] {
        let mut connection = Connection::new(server.address());
        connection.send(format!("{line}\r\nPING\r\n"));
        assert!(connection.reply().starts_with(b"-ERR "), "{line}");
        assert_eq!(connection.reply(), b"+PONG\r\n");
    }
    server.stop();
}

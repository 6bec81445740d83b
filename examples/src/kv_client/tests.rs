//! The test plays the server of a connection, or a server on a thread plays it for a client.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use fsm_runtime::JobHandle;
use fsm_runtime::sim::Session;

use super::*;

type Server = Session<Connection, Side>;

fn give(server: &mut Server, command: &str) -> JobHandle<Result<Value, Lost>> {
    let words = command.split(' ').map(Vec::from).collect();
    let job = Job { words, is_sent: Arc::default() };
    server.submit(job).unwrap_or_else(|_| panic!("there is room"))
}

#[test]
fn a_connection_answers_one_command_after_another() {
    let mut server = Server::new(Side);
    let (get, ping) = (give(&mut server, "GET k"), give(&mut server, "PING"));
    assert_eq!(server.receive(), b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    server.send(b"$2\r\n");
    assert_eq!(server.state(), Some("Answer"));
    server.send(b"hi\r\n");
    assert_eq!(get.wait(), Some(Ok(Value::Bulk(b"hi".to_vec()))));
    assert_eq!(server.receive(), b"*1\r\n$4\r\nPING\r\n");
    server.send(b"+PONG\r\n");
    assert_eq!(ping.wait(), Some(Ok(Value::Simple("PONG".to_owned()))));
    assert_eq!(server.state(), Some("Free"));
}

#[test]
fn a_command_without_an_answer_is_lost() {
    let ends: [fn(&mut Server); 4] = [
        |server| server.end(),
        |server| server.send(b"HTTP/1.1 400 Bad Request\r\n"),
        |server| server.send(b"$1073741824\r\n"),
        |server| server.advance(Duration::from_secs(30)),
    ];
    for end in ends {
        let mut server = Server::new(Side);
        let command = give(&mut server, "INCR n");
        end(&mut server);
        assert_eq!(command.wait(), Some(Err(Lost::Unknown)));
        assert_eq!(server.state(), None);
    }
}

#[test]
fn a_reset_loses_the_command_that_is_sent() {
    let mut server = Server::new(Side);
    let is_sent = Arc::<AtomicBool>::default();
    let job = Job { words: vec![b"INCR".to_vec()], is_sent: Arc::clone(&is_sent) };
    let command = server.submit(job).unwrap_or_else(|_| panic!("there is room"));
    server.reset();
    assert_eq!(command.wait(), None);
    assert!(is_sent.load(Ordering::SeqCst));
}

#[test]
fn an_answer_that_nothing_asked_for_ends_a_free_connection() {
    let mut server = Server::new(Side);
    server.send(b"+OK\r\n");
    assert_eq!(server.state(), None);
    let mut server = Server::new(Side);
    server.advance(Duration::from_secs(60));
    assert_eq!(server.state(), None);
}

#[test]
fn callers_learn_whether_a_server_can_have_got_their_command() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::connect(&address.to_string()).unwrap();
    // It answers one command, and ends the connection of the next one.
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for answer in [&b":1\r\n"[..], b""] {
            stream.read_exact(&mut [0; 14]).unwrap();
            stream.write_all(answer).unwrap();
        }
    });
    assert_eq!(client.command(["PING"]), Ok(Value::Integer(1)));
    assert_eq!(client.command(["PING"]), Err(Lost::Unknown));
    server.join().unwrap();
    // Now nobody listens.
    assert_eq!(client.command(["PING"]), Err(Lost::Unsent));
    assert!(Client::connect("nowhere").is_err());
}

//! How `kv` ends: a drain on SIGTERM or SIGINT loses nothing, and a second signal ends it at once.

use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use fsm_tests::{Connection, Server, TIMEOUT, encode, example};

/// The time limit of a drain without slow clients.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Clients under load get complete and correct answers, then the end of the stream; `kv` ends by
/// itself.
#[test]
fn a_drain_under_load() {
    let mut server = Server::kv(&[]);
    let address = server.address();
    let (ready, all_ready) = channel();
    let clients: Vec<_> = (0..20)
        .map(|n| {
            let ready = ready.clone();
            thread::spawn(move || {
                work_until_the_end(Connection::new(address), n, || ready.send(()))
            })
        })
        .collect();
    for _ in &clients {
        all_ready.recv_timeout(TIMEOUT).expect("all clients should be at work");
    }
    let start = Instant::now();
    server.signal("TERM");
    let status = server.wait(AT_ONCE);
    let took = start.elapsed();
    assert!(status.success(), "{status}");
    let rounds: u32 = clients.into_iter().map(|client| client.join().expect("see above")).sum();
    println!("drained 20 clients at work within {took:.1?}, after {rounds} rounds");
}

/// Sends SETs and GETs in pipelines of ten until the stream ends, which must be between two
/// answers.
fn work_until_the_end<E>(
    mut connection: Connection,
    client: usize,
    at_work: impl Fn() -> Result<(), E>,
) -> u32 {
    for round in 0.. {
        let (key, value) = (format!("client:{client}"), format!("{round:0width$}", width = 1000));
        let mut requests = Vec::new();
        let mut wanted = Vec::new();
        for _ in 0..5 {
            requests.extend(encode(&["SET", &key, &value]));
            requests.extend(encode(&["GET", &key]));
            wanted.push("+OK\r\n".to_owned());
            wanted.push(format!("$1000\r\n{value}\r\n"));
        }
        // Ignore an error until the answers are read, because the server may have closed the
        // connection.
        let sent = connection.try_send(&requests);
        for wanted in wanted {
            let reply = connection.try_reply().expect("the stream should end between two answers");
            if reply.is_empty() {
                return round;
            }
            assert_eq!(String::from_utf8_lossy(&reply), wanted);
        }
        sent.expect("who is answered was heard");
        if round == 10 {
            let _ = at_work();
        }
    }
    unreachable!("more rounds than numbers")
}

#[test]
fn idle_clients_see_a_clean_end() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::kv(&[]);
        let mut idle: Vec<_> = (0..100).map(|_| Connection::new(server.address())).collect();
        for client in &mut idle {
            client.expect(&["PING"], "+PONG\r\n");
        }
        let start = Instant::now();
        server.signal(signal);
        idle.iter_mut().for_each(Connection::expect_end);
        assert!(server.wait(AT_ONCE).success());
        println!("SIG{signal}: 100 idle clients, {:.1?}", start.elapsed());
        let refused = std::net::TcpStream::connect(server.address());
        assert!(refused.is_err(), "somebody listens there still");
    }
}

/// A command that was complete when the drain began is answered, and an incomplete one may be
/// completed.
#[test]
fn commands_in_progress_are_answered() {
    let mut server = Server::kv(&[]);
    let mut idle = Connection::new(server.address());
    idle.expect(&["PING"], "+PONG\r\n");
    let large = vec![b'x'; 2_000_000];
    let commands =
        [encode(&["ECHO", "half"]), encode(&[&b"ECHO"[..], &large]), b"PING\r\n".to_vec()];
    let mut clients: Vec<_> = commands
        .iter()
        .map(|command| {
            let (half, rest) = command.split_at(command.len() / 2);
            let mut client = Connection::new(server.address());
            // The answer to the first command shows that the server has received the first half of
            // the next one.
            client.send([b"PING\r\n", half].concat());
            assert_eq!(client.reply(), b"+PONG\r\n");
            (client, rest)
        })
        .collect();
    server.signal("TERM");
    idle.expect_end();
    assert!(server.is_running(), "clients have commands in progress");
    for (client, rest) in &mut clients {
        client.send(rest);
    }
    let answers = [b"$4\r\nhalf\r\n".len(), b"$2000000\r\n\r\n".len() + large.len(), 7];
    for ((client, _), answer) in clients.iter_mut().zip(answers) {
        assert_eq!(client.reply().len(), answer);
        client.expect_end();
    }
    assert!(server.wait(AT_ONCE).success());
}

/// An answer that is being sent when the drain begins arrives completely.
#[test]
fn answers_on_their_way_arrive() {
    let mut server = Server::kv(&[]);
    let value = vec![b'v'; 20_000_000];
    let mut reading = Connection::new(server.address());
    reading.expect(&[b"SET", &b"large"[..], &value], "+OK\r\n");
    reading.send(encode(&["GET", "large"]));
    assert_eq!(reading.bytes(11), b"$20000000\r\n");
    let mut idle = Connection::new(server.address());
    idle.expect(&["PING"], "+PONG\r\n");
    server.signal("TERM");
    idle.expect_end();
    assert!(server.is_running(), "an answer is on its way");
    assert!(reading.bytes(value.len()) == value, "the answer has changed");
    assert_eq!(reading.bytes(2), b"\r\n");
    reading.expect_end();
    assert!(server.wait(AT_ONCE).success());
}

#[test]
fn x11_a_second_signal_ends_it_at_once() {
    for (first, second, code) in [("TERM", "TERM", 143), ("INT", "TERM", 143), ("TERM", "INT", 130)]
    {
        let mut server = Server::kv(&[]);
        let mut idle = Connection::new(server.address());
        let mut slow = Connection::new(server.address());
        idle.expect(&["PING"], "+PONG\r\n");
        slow.send("PING\r\nPIN");
        assert_eq!(slow.reply(), b"+PONG\r\n");
        server.signal(first);
        idle.expect_end();
        assert!(server.is_running(), "a client has a command in progress");
        server.signal(second);
        let status = server.wait(AT_ONCE);
        assert_eq!(status.code(), Some(code), "{first}, {second}: {status}");
    }
}

/// A shell without job control ignores SIGINT for its commands in the background.
#[test]
fn a_sigint_that_was_ignored_at_the_start_stays_ignored() {
    let start = "trap '' INT && exec \"$0\" --port 0";
    let mut server = Server::start(Command::new("sh").args(["-c", start]).arg(example("kv")));
    server.signal("INT");
    server.signal("INT");
    Connection::new(server.address()).expect(&["PING"], "+PONG\r\n");
    server.signal("TERM");
    let status = server.wait(AT_ONCE);
    assert!(status.success(), "{status}");
}

/// A client that hears a channel and one that waits for an element rest as much as one that does nothing.
#[test]
fn a_drain_ends_subscribers_and_clients_that_wait() {
    let mut server = Server::kv(&[]);
    let [mut one, mut hears, mut waits] = [(); 3].map(|()| Connection::new(server.address()));
    assert!(hears.command(&["SUBSCRIBE", "c"]).starts_with(b"*3\r\n"));
    waits.send(encode(&["BLPOP", "k", "0"]));
    fsm_tests::eventually("it waits", || {
        String::from_utf8_lossy(&one.command(&["INFO", "clients"])).contains("blocked_clients:1")
    });
    server.signal("TERM");
    let status = server.wait(AT_ONCE);
    assert!(status.success(), "{status}");
    hears.expect_end();
    waits.expect_end();
}

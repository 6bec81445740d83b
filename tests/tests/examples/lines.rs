//! The example `lines`: each command, and each error of a client.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use fsm_tests::{Connection, Server, example};

#[test]
fn each_command() {
    let server = lines(&[]);
    let mut client = Connection::new(server.address());
    for (request, answer) in [
        ("ECHO hello\n", "hello\n"),
        ("ECHO hello\r\n", "hello\n"),
        ("ECHO  two  spaces \n", " two  spaces \n"),
        ("ECHO\n", "\n"),
        ("PIN\n1234", "four digits\n"),
        ("SUM 3\nabc", "294\n"),
        ("SUM 0\n", "0\n"),
        ("NET\n5:hello,", "hello\n"),
        ("NET\n0:,", "\n"),
        ("NET\n3:\n,\n,", "\n,\n\n"),
        ("COUNT 3\n", "1\n2\n3\n"),
        ("COUNT 0\nECHO counted\n", "counted\n"),
        ("SLEEP\n", "awake\n"),
        ("SKIP 5\nhello", "skipped 5 bytes\n"),
        ("SKIP 0\n", "skipped 0 bytes\n"),
        ("SHOUT hello\n", "* hello\n"),
        ("CLOCK\n", "1\n2\n"),
        ("ENOUGH\nECHO on time\n", "on time\n"),
    ] {
        client.send(request);
        let got = client.bytes(answer.len());
        assert_eq!(String::from_utf8_lossy(&got), answer, "{request:?}");
    }
    client.send("QUIT\n");
    assert_eq!(client.line(), "bye");
    client.expect_end();
    server.stop();
}

/// A pipeline has the same answers in one piece and a byte at a time.
#[test]
fn a_pipeline() {
    let server = lines(&[]);
    let bytes: String = (0..100).map(|n| char::from(b'a' + n % 26)).collect();
    let sum: u32 = bytes.bytes().map(u32::from).sum();
    let request = format!(
        "ECHO one\nPIN\n0000SUM 100\n{bytes}SKIP 100\n{bytes}NET\n4:ECHO,COUNT 2\nECHO last\nQUIT\n"
    );
    let answer = format!("one\nfour digits\n{sum}\nskipped 100 bytes\nECHO\n1\n2\nlast\nbye\n");
    for size in [1, 2, 7, request.len()] {
        let mut client = Connection::new(server.address());
        for piece in request.as_bytes().chunks(size) {
            client.send(piece);
        }
        let got = client.bytes(answer.len());
        assert_eq!(String::from_utf8_lossy(&got), answer, "in pieces of {size}");
        client.expect_end();
    }
    server.stop();
}

#[test]
fn a_wrong_command_is_answered_and_the_client_goes_on() {
    let server = lines(&[]);
    let mut client = Connection::new(server.address());
    for (request, answer) in [
        ("NOSUCH\n", "! unknown command"),
        ("echo hello\n", "! unknown command"),
        ("\n", "! unknown command"),
        ("SUM many\n", "! not a number"),
        ("SUM\n", "! not a number"),
        ("SUM -1\n", "! not a number"),
        ("SKIP 1.5\n", "! not a number"),
        ("COUNT 99999999999999999999\n", "! not a number"),
        ("PIN\n12a4", "! a pin is four digits"),
    ] {
        client.send(format!("{request}ECHO after\n"));
        assert_eq!((client.line(), client.line()), (answer.into(), "after".into()), "{request:?}");
    }
    server.stop();
}

#[test]
fn a_malformed_netstring_ends_the_connection() {
    let server = lines(&[]);
    for (request, answer) in [
        ("NET\nhello", "! `len` is no number in its range"),
        ("NET\n:,", "! `len` is no number in its range"),
        ("NET\n05:hello,", "! `len` is no number in its range"),
        ("NET\n99999:", "! `len` is no number in its range"),
        ("NET\n5:hello.", "! `text` is not followed by what ends it"),
    ] {
        refuses(&server, request, answer);
    }
    server.stop();
}

#[test]
fn limits() {
    let server = lines(&[]);
    let longest = "x".repeat(80 - "ECHO ".len());
    let mut client = Connection::new(server.address());
    client.send(format!("ECHO {longest}\n"));
    assert_eq!(client.line(), longest);
    // The server throws a line away that is too long, here in many pieces, and goes on behind it.
    for too_long in [format!("ECHO {longest}x\n"), "x".repeat(3_000_000) + "\n"] {
        client.send(too_long);
        client.send("ECHO after\n");
        assert_eq!(client.line(), "! a line has at most 80 bytes");
        assert_eq!(client.line(), "after");
    }
    let fits = 1018;
    client.send(format!("NET\n{fits}:{},", "x".repeat(fits)));
    assert_eq!(client.line().len(), fits);
    // The server refuses a message as soon as its header says that it is too long.
    let answer = "! the length of `text` is 1019, and may be at most 1018";
    refuses(&server, &format!("NET\n{}:x", fits + 1), answer);
    server.stop();
}

/// Also those that are in the middle of something hear it, after that.
#[test]
fn all_clients_hear_a_shout() {
    let server = lines(&[]);
    let mut clients: [Connection; 3] = std::array::from_fn(|_| Connection::new(server.address()));
    for client in &mut clients {
        client.send("ECHO here\n");
        assert_eq!(client.line(), "here");
    }
    let [ann, bob, eve] = &mut clients;
    eve.send("ECHO busy\nPIN\n12");
    assert_eq!(eve.line(), "busy");
    bob.send("ECH");
    ann.send("SHOUT hello all\n");
    assert_eq!((ann.line(), bob.line()), ("* hello all".into(), "* hello all".into()));
    bob.send("O half a line\n");
    assert_eq!(bob.line(), "half a line");
    assert!(eve.is_silent_for(Duration::ZERO), "she is in the middle of a command");
    eve.send("34");
    assert_eq!((eve.line(), eve.line()), ("four digits".into(), "* hello all".into()));
    server.stop();
}

#[test]
fn after_half_the_server_ends_its_stream_and_reads_on_until_the_client_ends_its_own() {
    let mut server = lines(&[]);
    let mut client = Connection::new(server.address());
    client.send("HALF\n");
    assert_eq!(client.line(), "half");
    client.expect_end();
    client.send("x".repeat(3_000_000));
    server.signal("TERM");
    server.logs("drain");
    assert!(server.is_running(), "the client may still send");
    client.shutdown_write();
    assert!(server.wait(Duration::from_secs(2)).success());
}

#[test]
fn silence_between_commands_lasts_no_longer_than_the_option_says() {
    let server = lines(&["--idle", "700ms"]);
    let [mut silent, mut shouting] = [(); 2].map(|()| Connection::new(server.address()));
    silent.send("ECHO here\n");
    assert_eq!(silent.line(), "here");
    let start = Instant::now();
    // Lines that others shout do not count.
    for _ in 0..2 {
        assert!(shouting.is_silent_for(Duration::from_millis(200)));
        shouting.send("SHOUT hello\n");
        assert_eq!((shouting.line(), silent.line()), ("* hello".into(), "* hello".into()));
    }
    assert_eq!(silent.line(), "! too slow");
    silent.expect_end();
    let took = start.elapsed();
    assert!((650..2_000).contains(&took.as_millis()), "{took:?}");
    server.stop();
}

/// Sends a request that ends the connection, and checks its answer.
fn refuses(server: &Server, request: &str, answer: &str) {
    let mut client = Connection::new(server.address());
    // The command before is answered, and the one after is not.
    client.send(format!("ECHO before\n{request}ECHO after\n"));
    assert_eq!(client.line(), "before", "{request:?}");
    assert_eq!(client.line(), answer, "{request:?}");
    client.expect_end();
}

/// A client whose stream ends within a command gets no message.
#[test]
fn the_end_of_the_stream() {
    let server = lines(&[]);
    for request in
        ["", "ECH", "PIN\n12", "SUM 3\na", "NET\n5:he", "SKIP 3\na", "CLOCK\n1", "SLEEP\n"]
    {
        let mut client = Connection::new(server.address());
        client.send(format!("ECHO hello\n{request}"));
        assert_eq!(client.line(), "hello");
        client.shutdown_write();
        if request == "SLEEP\n" {
            assert_eq!(client.line(), "awake");
        }
        client.expect_end();
    }
    server.stop();
}

#[test]
fn sleeps_take_a_second_and_delay_no_other_client() {
    let server = lines(&[]);
    let start = Instant::now();
    let mut sleepers: Vec<_> = (0..100).map(|_| Connection::new(server.address())).collect();
    for client in &mut sleepers {
        client.send("SLEEP\nECHO up\n");
    }
    let mut other = Connection::new(server.address());
    let mut answers = 0_u32;
    while start.elapsed() < Duration::from_millis(900) {
        other.send("ECHO hello\n");
        assert_eq!(other.line(), "hello");
        answers += 1;
    }
    for client in &mut sleepers {
        assert_eq!(client.line(), "awake");
        assert_eq!(client.line(), "up");
    }
    let took = start.elapsed();
    println!("100 naps took {took:.1?}; meanwhile another client had {answers} answers");
    assert!((1000..2000).contains(&took.as_millis()), "{took:?}");
    server.stop();
}

/// The server writes numbers only as fast as the client reads them.
#[test]
fn counting_far_takes_no_memory() {
    let server = lines(&[]);
    let mut client = Connection::new(server.address());
    client.send("COUNT 3000000\nECHO done\n");
    assert_eq!(client.line(), "1");
    #[cfg(target_os = "linux")]
    {
        // The answer to another client shows that the first one has had its turn.
        let mut other = Connection::new(server.address());
        other.send("ECHO hello\n");
        assert_eq!(other.line(), "hello");
        let anonymous = server.anonymous();
        println!("{} kB of memory in the middle of 23 MB", anonymous / 1024);
        assert!(anonymous < 2 * 1024 * 1024, "{anonymous} bytes of memory");
    }
    for n in 2..=3_000_000 {
        assert_eq!(client.line(), n.to_string());
    }
    assert_eq!(client.line(), "done");
    server.stop();
}

/// Five seconds without a byte are too long, but six with some bytes are not.
#[test]
fn a_deadline() {
    let server = lines(&[]);
    let address = server.address();
    let slow = thread::spawn(move || {
        let mut slow = Connection::new(address);
        slow.send("SUM 4\nab");
        let start = Instant::now();
        assert_eq!(slow.line(), "! too slow");
        slow.expect_end();
        let took = start.elapsed();
        println!("too slow after {took:.2?}");
        assert!((4900..6000).contains(&took.as_millis()), "{took:?}");
    });
    let mut steady = Connection::new(address);
    steady.send("SUM 3\n");
    for byte in ["\u{1}", "\u{2}", "\u{3}"] {
        assert!(steady.is_silent_for(Duration::from_secs(2)), "it has time");
        steady.send(byte);
    }
    assert_eq!(steady.line(), "6");
    slow.join().expect("see above");
    server.stop();
}

/// A drain lets clients finish their commands, and says goodbye to each.
#[test]
fn a_drain() {
    let mut server = lines(&[]);
    let mut clients = ["ECHO a\n", "PIN\n12", "SLEEP\n", "SUM 3\na"].map(|request| {
        let mut client = Connection::new(server.address());
        client.send(format!("ECHO hello\n{request}"));
        assert_eq!(client.line(), "hello");
        client
    });
    server.signal("TERM");
    let [resting, pin, nap, sum] = &mut clients;
    assert_eq!(resting.line(), "a");
    says_goodbye(resting);
    assert!(server.is_running(), "three clients are in the middle of something");
    pin.send("34");
    assert_eq!(pin.line(), "four digits");
    says_goodbye(pin);
    sum.send("bc");
    assert_eq!(sum.line(), "294");
    says_goodbye(sum);
    assert_eq!(nap.line(), "awake");
    says_goodbye(nap);
    assert!(server.wait(Duration::from_secs(2)).success());
}

fn says_goodbye(client: &mut Connection) {
    assert_eq!(client.line(), "! the server shuts down");
    client.expect_end();
}

fn lines(options: &[&str]) -> Server {
    Server::start(Command::new(example("lines")).args(["--port", "0"]).args(options))
}

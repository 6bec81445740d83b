//! Clients that misbehave: the server refuses each request correctly, executes no hidden request,
//! and serves a background client all the time.

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use fsm_tests::{
    BackgroundClient, Connection, Docserver, MemoryGrowth, Random, TIMEOUT, eventually, get,
    one_at_a_time, put, request,
};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

const MIB: u64 = 1024 * 1024;

/// Bytes after a refused request are never a request, whether sent with it or later.
#[test]
fn nothing_is_smuggled() {
    let docs = Docserver::in_memory(&[]);
    docs.put("victim", b"one").expect(201);
    let hidden = request("DELETE /docs/victim", &[]);
    let put = "PUT /docs/x HTTP/1.1\r\nHost: a\r\n";
    let te = "PUT /docs/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let trailers = |count| "X: y\r\n".repeat(count);
    let cases: Vec<(u16, String)> = vec![
        // Two possible ends of the body.
        (400, format!("{put}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        (400, format!("{put}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")),
        (400, format!("{put}Content-Length: 0\r\nContent-Length: 44\r\n\r\n")),
        (400, format!("{put}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc")),
        (400, format!("{put}Content-Length: 3, 3\r\n\r\nabc")),
        (400, format!("{put}Content-Length: +3\r\n\r\nabc")),
        (400, format!("{put}Content-Length: 0x3\r\n\r\nabc")),
        (400, format!("{put}Content-Length: 3 \x0b\r\n\r\nabc")),
        (400, format!("{put}Content-Length : 3\r\n\r\nabc")),
        (400, format!("{put}Content-Length\t: 3\r\n\r\nabc")),
        (400, format!("{put}Content-Length: 18446744073709551617\r\n\r\nabc")),
        (400, format!("{put}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")),
        (400, format!("{put}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")),
        (400, format!("{put}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")),
        (400, format!("{put}Transfer-Encoding:\r\n\r\n0\r\n\r\n")),
        (400, format!("{put}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n")),
        (501, format!("{put}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")),
        (501, format!("{put}Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n")),
        (
            501,
            format!(
                "{put}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
        ),
        (400, "PUT /docs/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into()),
        // A body where none is allowed.
        (400, "GET /docs/victim HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".into()),
        (
            400,
            "GET /docs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into(),
        ),
        // Wrong line ends.
        (400, "GET / HTTP/1.1\nHost: a\n\n".into()),
        (400, "GET / HTTP/1.1\r\nHost: a\r\n\n".into()),
        (400, "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n".into()),
        (400, "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n".into()),
        (400, "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\r\n\r\n".into()),
        (400, "GET / HTTP/1.1\r\nHost: a\r\nX: y\0\r\n\r\n".into()),
        (400, "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n".into()),
        (400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n".into()),
        (400, "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n".into()),
        (400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into()),
        (400, "GET /\x0b HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        (400, "GET\x0c/ HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        // Chunks.
        (400, format!("{te}\r\n")),
        (400, format!("{te}+3\r\nabc\r\n0\r\n\r\n")),
        (400, format!("{te}-1\r\nabc\r\n0\r\n\r\n")),
        (400, format!("{te}0x3\r\nabc\r\n0\r\n\r\n")),
        (400, format!("{te} 3\r\nabc\r\n0\r\n\r\n")),
        (400, format!("{te}3 \r\nabc\r\n0\r\n\r\n")),
        (400, format!("{te}3 3\r\nabc\r\n0\r\n\r\n")),
        (400, format!("{te}00000000000000003\r\nabc\r\n0\r\n\r\n")),
        (400, format!("{te}fffffffffffffffff\r\nabc\r\n0\r\n\r\n")),
        (400, format!("{te}3\nabc\n0\n\n\r\n")),
        (400, format!("{te}3;x\ny\r\nabc\r\n0\r\n\r\n")),
        (400, format!("{te}3;x\ry\r\nabc\r\n0\r\n\r\n")),
        (400, format!("{te}3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(300))),
        (400, format!("{te}3\r\nabcdef\r\n0\r\n\r\n")),
        (400, format!("{te}3\r\nabc0\r\n\r\n")),
        (400, format!("{te}3\r\nabc\n\n0\r\n\r\n")),
        (400, format!("{te}3\r\nabc\r\n\r\n0\r\n\r\n")),
        // Trailers.
        (431, format!("{te}0\r\n{}\r\n", trailers(33))),
        (400, format!("{te}0\r\nX\r\n\r\n")),
        (400, format!("{te}0\r\n X: y\r\n\r\n")),
        (400, format!("{te}0\r\nX: y\nZ: z\r\n\r\n")),
        (400, format!("{te}0\r\nX: {}\r\n\r\n", "y".repeat(300))),
        (400, format!("{te}0\r\nDELETE /docs/victim HTTP/1.1\r\nHost: a\r\n\r\n")),
    ];
    for (status, request) in cases {
        for along in [true, false] {
            let mut connection = docs.connect();
            connection.send(request.clone() + if along { &hidden } else { "" });
            let answer = connection.answer();
            assert_eq!(answer.status, status, "{request:?}: {}", answer.body.escape_ascii());
            assert!(!answer.keeps_alive(), "{request:?}");
            if along {
                connection.expect_end();
            } else {
                // The connection is closed already, and may be reset.
                let _ = connection.try_send(hidden.as_bytes());
                let more = connection.try_answer();
                assert!(!matches!(more, Ok(Some(_))), "{request:?}: {more:?}");
            }
            let answer = docs.get("/docs/victim");
            assert_eq!((answer.status, &*answer.body), (200, &b"one"[..]), "{request:?}");
        }
    }
    docs.get("/docs/x").expect(404);
    assert_eq!((docs.filed(), docs.temporary()), (1, 0));
    docs.stop();
}

/// Unusual but valid requests are served, and the next request after them, too.
#[test]
fn unusual_requests_are_served() {
    let docs = Docserver::in_memory(&[]);
    let te = "PUT /docs/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (request, body) in [
        (format!("{te}3;x=y;z=\"a b\"\r\nabc\r\n0;end\r\n\r\n"), "abc"),
        (format!("{te}0003\r\nabc\r\n00\r\n\r\n"), "abc"),
        (format!("{te}1\r\na\r\n1\r\nb\r\nA\r\n0123456789\r\n0\r\n\r\n"), "ab0123456789"),
        (format!("{te}0\r\n{}\r\n", "X: y\r\n".repeat(32)), ""),
        (te.replace("chunked", "CHUNKED") + "2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
        (te.replace("Transfer", "tRANSFER").replace(": chunked", ":chunked \t") + "0\r\n\r\n", ""),
        (te.replace("Transfer-Encoding: chunked", "Content-Length: 003") + "GET", "GET"),
        (format!("\r\n\r\n{te}0\r\n\r\n"), ""),
        (te.replace("HTTP/1.1", "HTTP/1.9") + "0\r\n\r\n", ""),
    ] {
        let mut connection = docs.connect();
        connection.send(request.clone() + &get("/docs/x"));
        let status = connection.answer().status;
        assert!(matches!(status, 200 | 201), "{request:?}: {status}");
        let answer = connection.answer().expect(200);
        assert_eq!(String::from_utf8_lossy(&answer.body), body, "{request:?}");
    }
    docs.stop();
}

/// Three hundred clients stop within a head, a body or a line between chunks: others are served,
/// and so are those that continue.
#[test]
fn slow_clients_delay_no_other_client() {
    let _exclusive = one_at_a_time();
    let docs = Docserver::in_memory(&[]);
    let sockets = docs.server().sockets();
    let background = BackgroundClient::on_docserver(docs.server().address());
    let requests = [
        get("/docs/background"),
        "PUT /docs/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n".to_owned()
            + &"x".repeat(60),
        "PUT /docs/slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned()
            + &"1;x=y\r\na\r\n".repeat(6)
            + "0\r\nX: y\r\n\r\n",
    ];
    let mut clients: Vec<_> = (0..300)
        .map(|n| {
            let request = &requests[n % 3];
            let (half, rest) = request.split_at(1 + n * 7 % (request.len() - 1));
            let mut connection = docs.connect();
            connection.send(half);
            (connection, rest.to_owned())
        })
        .collect();
    // Send a byte each, slowly.
    for _ in 0..3 {
        for (connection, rest) in &mut clients {
            if rest.len() > 1 {
                connection.send(rest.remove(0).to_string());
            }
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    for (connection, rest) in clients.iter_mut().step_by(2) {
        connection.send(rest);
        assert!(matches!(connection.answer().status, 200 | 201));
    }
    drop(clients);
    println!("{}", background.finish());
    eventually("they are gone", || docs.server().sockets() == sockets);
    eventually("their documents are gone", || docs.temporary() == 0);
    assert_eq!(docs.filed(), 2);
    docs.stop();
}

/// The server buffers little of a document for a client that does not read.
#[test]
fn twenty_clients_that_never_read() {
    let _exclusive = one_at_a_time();
    let docs = Docserver::in_memory(&[]);
    let sockets = docs.server().sockets();
    let body = Random::new(5).next_bytes(16_000_000);
    docs.put("large", &body).expect(201);
    let background = BackgroundClient::on_docserver(docs.server().address());
    let mut unread = Vec::new();
    let growth = MemoryGrowth::of(docs.server(), || {
        for _ in 0..20 {
            let mut connection = Connection::from_stream(small_buffer(&docs));
            connection.send(get("/docs/large").repeat(100));
            unread.push(connection);
        }
        // A client that reads gets the whole document meanwhile.
        for _ in 0..3 {
            assert!(docs.get("/docs/large").expect(200).body == body, "the document has changed");
        }
    });
    println!("memory grew by {} kB; {}", growth.grown / 1024, background.finish());
    assert!(growth.grown < 12 * MIB, "memory grew by {} bytes", growth.grown);
    drop(unread);
    eventually("they are gone", || docs.server().sockets() == sockets);
    docs.stop();
}

/// Resets within an upload, or within an answer.
#[test]
fn a_client_that_resets_leaves_nothing() {
    let _exclusive = one_at_a_time();
    let docs = Docserver::in_memory(&[]);
    let sockets = docs.server().sockets();
    docs.put("large", &Random::new(5).next_bytes(4_000_000)).expect(201);
    let background = BackgroundClient::on_docserver(docs.server().address());
    let te = request("PUT /docs/x", &["Transfer-Encoding: chunked"]);
    let growth = MemoryGrowth::of(docs.server(), || {
        for n in 0..100 {
            let mut connection = docs.connect();
            match n % 4 {
                0 => connection.send(&put("x", &vec![b'x'; 300_000])[..200_000]),
                1 => connection.send(te.clone() + "100000\r\n" + &"x".repeat(100_000)),
                // The request is complete, but the client does not wait for the answer.
                2 => connection.send(put("x", b"one")),
                _ => {
                    connection.send(get("/docs/large"));
                    connection.bytes(10);
                }
            }
            SockRef::from(connection.socket())
                .set_linger(Some(Duration::ZERO))
                .expect("a socket takes options");
        }
        eventually("they are gone", || docs.server().sockets() <= sockets + 1);
    });
    println!("memory grew by {} kB; {}", growth.grown / 1024, background.finish());
    assert!(growth.grown < 8 * MIB, "memory grew by {} bytes", growth.grown);
    eventually("their documents are gone", || docs.temporary() == 0);
    eventually("each document has a file", || docs.filed() <= 3);
    docs.stop();
}

/// A client that shuts down its side within a document gets no answer that the document was filed.
#[test]
fn an_incomplete_document_is_not_filed() {
    let docs = Docserver::in_memory(&[]);
    for body in
        ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
    {
        for cut in 0..5 {
            let mut connection = docs.connect();
            let request = format!("PUT /docs/x HTTP/1.1\r\nHost: a\r\n{body}");
            connection.send(&request[..request.len() - cut]);
            connection.shutdown_write();
            assert!(connection.try_answer().expect("the stream should end").is_none(), "{body:?}");
        }
    }
    docs.get("/docs/x").expect(404);
    assert_eq!((docs.filed(), docs.temporary()), (0, 0));
    docs.stop();
}

/// Valid requests with changed bytes: 200 of them, or `FSM_MUTATIONS`, from the seed `FSM_SEED`.
/// Each connection ends, no handler panics, and a background client is served.
#[test]
fn mutated_requests_do_no_harm() {
    let _exclusive = one_at_a_time();
    let number = |name: &str, default| {
        env::var(name).map_or(default, |text| text.parse().expect("it should be a number"))
    };
    let (count, seed) = (number("FSM_MUTATIONS", 200), number("FSM_SEED", 1));
    let docs = Docserver::in_memory(&["--max-size", "1MB"]);
    let sockets = docs.server().sockets();
    docs.put("a", b"one").expect(201);
    let background = BackgroundClient::on_docserver(docs.server().address());
    let start = Instant::now();
    for n in 0..count {
        let input = mutated(&mut Random::new(seed + n));
        let shown = input.escape_ascii();
        let mut stream = TcpStream::connect(docs.server().address()).expect("it should connect");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a socket takes options");
        stream.write_all(&input).unwrap_or_else(|error| panic!("FSM_SEED={}: {error}", seed + n));
        stream.shutdown(std::net::Shutdown::Write).expect("it is connected");
        let mut output = Vec::new();
        if let Err(error) = stream.read_to_end(&mut output) {
            panic!("FSM_SEED={}: {error}: {shown}", seed + n);
        }
        assert!(
            output.is_empty() || output.starts_with(b"HTTP/1.1 "),
            "FSM_SEED={}: {shown}: {}",
            seed + n,
            output.escape_ascii()
        );
    }
    println!("{count} in {:.1?}; {}", start.elapsed(), background.finish());
    eventually("they are gone", || docs.server().sockets() == sockets);
    eventually("their documents are gone", || docs.temporary() == 0);
    docs.stop();
}

/// A few valid requests in a row, with some changes.
fn mutated(random: &mut Random) -> Vec<u8> {
    let te = request("PUT /docs/b", &["Transfer-Encoding: chunked"]);
    let good = [
        get("/docs/a"),
        get("/docs?limit=2&after=a"),
        get("/search?q=one+two"),
        get("/"),
        get("/events"),
        request("HEAD /docs/a", &["If-None-Match: \"x\", W/\"y\"", "Range: bytes=0-1"]),
        request("GET /docs/a", &["Range: bytes=0-1", "If-Range: \"x\"", "Connection: keep-alive"]),
        request("DELETE /docs/b", &["If-Match: *"]),
        format!("{te}5;x=y\r\nhello\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"),
        request("PUT /docs/b", &["Content-Length: 5", "Expect: 100-continue"]) + "hello",
    ];
    let words: [&[u8]; 16] = [
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b":",
        b"\r\n\r\n",
        b"Content-Length: 99999\r\n",
        b"%00",
        b"/../",
        b"Transfer-Encoding: chunked\r\n",
        b"ffffffffffffffff\r\n",
        b"0\r\n\r\n",
        b"\xff",
        b"HTTP/1.0",
        b",",
    ];
    let mut input = Vec::new();
    for _ in 0..=random.index(4) {
        input.extend(good[random.index(good.len())].bytes());
    }
    for _ in 0..=random.index(4) {
        let at = random.index(input.len());
        let end = (at + 1 + random.index(20)).min(input.len());
        match random.index(6) {
            0 => input[at] = random.number().to_le_bytes()[0],
            1 => input[at] ^= 1 << random.index(8),
            2 => drop(input.drain(at..end)),
            3 => drop(input.splice(at..at, input[at..end].to_vec())),
            4 => drop(input.splice(at..at, words[random.index(words.len())].to_vec())),
            _ => input.truncate(at.max(1)),
        }
        if input.is_empty() {
            input.push(b'G');
        }
    }
    input
}

/// A socket with a small receive buffer.
fn small_buffer(docs: &Docserver) -> TcpStream {
    let address = docs.server().address();
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP));
    let socket = socket.expect("a socket");
    socket.set_recv_buffer_size(16 * 1024).expect("a socket takes options");
    socket.connect(&address.into()).expect("it should connect");
    socket.into()
}

//! Requests that are refused, and limits.

use super::*;

#[test]
fn documents_that_are_too_large_are_refused() {
    let docs = Docserver::in_memory(&["--max-size", "1000B"]);
    docs.put("a", &[b'x'; 1000]).expect(201);
    // Refused before it is sent.
    let mut connection = docs.connect();
    assert!(
        !connection
            .ask(request("PUT /docs/a", &["Content-Length: 1001"]))
            .expect(413)
            .keeps_alive()
    );
    connection.expect_end();
    // Refused before its end.
    let chunked = request("PUT /docs/a", &["Transfer-Encoding: chunked"]);
    let mut connection = docs.connect();
    connection.send(format!("{chunked}3e8\r\n{}\r\n", "y".repeat(1000)));
    assert!(connection.is_silent_for(Duration::from_millis(100)), "1000 bytes are allowed");
    assert!(!connection.ask("ff\r\ny").expect(413).keeps_alive());
    connection.expect_end();
    assert_eq!(docs.get("/docs/a").body, [b'x'; 1000]);
    assert_eq!((docs.filed(), docs.temporary()), (1, 0));
    docs.stop();
}

/// A client that expects `100 Continue` sends its document after it, and need not send it if
/// refused.
#[test]
fn a_client_that_expects_100_continue_gets_it() {
    let docs = Docserver::in_memory(&["--max-size", "1kB"]);
    let mut connection = docs.connect();
    let expect = |len: u32, fields: &[&str]| {
        let len = format!("Content-Length: {len}");
        request("PUT /docs/a", &[&[&*len, "Expect: 100-continue"], fields].concat())
    };
    assert!(connection.ask(expect(3, &[])).expect(100).fields.is_empty());
    connection.ask("one").expect(201);
    connection.ask(expect(0, &[])).expect(200);
    connection.ask(expect(3, &["X: y"])).expect(100);
    connection.ask("two").expect(200);
    assert!(!connection.ask(expect(2000, &[])).expect(413).keeps_alive());
    connection.expect_end();
    let mut connection = docs.connect();
    let post =
        "POST /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    assert!(!connection.ask(post).expect(405).keeps_alive());
    connection.expect_end();
    // HTTP/1.0 does not define `Expect`.
    let put = "PUT /docs/a HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(docs.ask(format!("{put}abc")).status, 200);
    docs.stop();
}

/// Each request is refused, and the connection stays open if the next request has a known start.
#[test]
fn refusals() {
    let docs = Docserver::in_memory(&[]);
    docs.put("a", b"one").expect(201);
    let long = |len: usize| "x".repeat(len);
    let cases: [(u16, bool, String); 25] = [
        (404, true, get("/none")),
        (404, true, get("/docs/none")),
        (404, true, get("/docs/")),
        (404, true, get("/docs/a/b")),
        (404, true, request("DELETE /docs/none", &[])),
        (400, true, get("/docs?limit=x")),
        (400, true, get("/search")),
        (400, true, request("GET /docs/a", &["If-Match: x"])),
        (400, false, request("GET /docs/a", &["Content-Length: 3"]) + "abc"),
        (400, false, request("DELETE /docs/a", &["Content-Length: 3"]) + "abc"),
        (400, false, "GET / HTTP/1.1\r\n\r\n".into()),
        (400, false, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into()),
        (400, false, "GET /\r\n\r\n".into()),
        (400, false, "\r\n\r\n\r\n".into()),
        (400, false, "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0".into()),
        (405, true, request("POST /docs/a", &[])),
        (405, true, request("HEADS /", &[]).replace("HEADS", "PUT")),
        (413, false, request("PUT /docs/b", &["Content-Length: 9999999999999"])),
        (414, false, get(&format!("/docs/{}", long(9000)))),
        (417, false, request("PUT /docs/b", &["Content-Length: 3", "Expect: 200-ok"])),
        (431, false, request("GET /", &[&format!("X: {}", long(33_000))])),
        (431, false, request("GET /", &["X: y"; 70])),
        (501, false, request("BREW /", &[])),
        (501, false, request("PUT /docs/b", &["Transfer-Encoding: gzip, chunked"])),
        (505, false, "GET / HTTP/2.0\r\nHost: a\r\n\r\n".into()),
    ];
    for (status, goes_on, request) in cases {
        let shown = &request[..request.len().min(80)];
        let mut connection = docs.connect();
        let answer = connection.ask(&request);
        assert_eq!(answer.status, status, "{shown:?}");
        assert_eq!(answer.keeps_alive(), goes_on, "{shown:?}");
        let json = answer.json();
        assert_eq!(json["status"], status, "{shown:?}");
        assert!(json["error"].as_str().is_some_and(|error| !error.is_empty()), "{shown:?}");
        if goes_on {
            connection.ask(get("/docs/a")).expect(200);
        } else {
            connection.expect_end();
        }
    }
    assert_eq!((docs.filed(), docs.temporary()), (1, 0));
    docs.stop();
}

#[test]
fn a_405_says_what_is_allowed() {
    let docs = Docserver::in_memory(&[]);
    let mut connection = docs.connect();
    for (line, allow) in [
        ("POST /", "GET, HEAD, OPTIONS"),
        ("DELETE /docs", "GET, HEAD, OPTIONS"),
        ("PUT /search?q=a", "GET, HEAD, OPTIONS"),
        ("PUT /events", "GET, HEAD, OPTIONS"),
        ("PATCH /docs/a", "GET, HEAD, PUT, DELETE, OPTIONS"),
    ] {
        let answer = connection.ask(request(line, &[])).expect(405);
        assert_eq!(answer.field("allow"), Some(allow), "{line}");
    }
    docs.stop();
}

#[test]
fn options_says_what_is_allowed_and_head_what_get_would() {
    let docs = Docserver::in_memory(&[]);
    let mut connection = docs.connect();
    for (line, allow) in [
        ("OPTIONS *", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("OPTIONS /docs/a", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("OPTIONS /events", "GET, HEAD, OPTIONS"),
    ] {
        let answer = connection.ask(request(line, &[])).expect(204);
        assert_eq!(answer.field("allow"), Some(allow), "{line}");
    }
    connection.send(request("HEAD /events", &[]));
    let answer = connection.answer_to_head().expect(200);
    assert_eq!(answer.field("content-type"), Some("text/event-stream"));
    connection.expect_end();
    docs.stop();
}

/// The server keeps bytes and nothing about them, so a PUT of anything else is refused and replaces nothing.
#[test]
fn a_put_of_a_part_or_of_an_encoded_document_is_refused() {
    let docs = Docserver::in_memory(&[]);
    docs.put("a", b"whole").expect(201);
    for (field, status) in [
        ("Content-Range: bytes 0-4/108894", 400),
        ("Content-Encoding: gzip", 415),
        ("Content-Encoding: identity, br", 415),
    ] {
        let put = request("PUT /docs/a", &["Content-Length: 4", field]);
        docs.connect().ask(put + "part").expect(status);
    }
    let put = request("PUT /docs/a", &["Content-Length: 4", "Content-Encoding: identity"]);
    docs.connect().ask(put + "more").expect(200);
    assert_eq!(docs.get("/docs/a").body, b"more");
    docs.stop();
}

/// A line of a chunked body that is malformed is refused at once, and not after the time for a body.
#[test]
fn malformed_chunk_lines_are_refused_at_once() {
    let docs = Docserver::in_memory(&[]);
    let chunked = request("PUT /docs/a", &["Transfer-Encoding: chunked"]);
    for body in [
        "5;\r\nhello\r\n0\r\n\r\n",
        "5;;\r\nhello\r\n0\r\n\r\n",
        "5;bad[=x\r\nhello\r\n0\r\n\r\n",
        "5;a=\"unterminated\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\n",
        "5\r\nhello\r\n0\r\n\n",
        "5\r\nhello\r\n0\r\na: b\n",
    ] {
        let answer = docs.connect().ask(format!("{chunked}{body}")).expect(400);
        assert!(!answer.keeps_alive(), "{body:?}");
    }
    assert_eq!((docs.filed(), docs.temporary()), (0, 0));
    docs.stop();
}

/// No name makes the server read or write a file outside its directory, or one of its own files.
#[test]
fn no_name_leads_out_of_the_directory() {
    let docs = Docserver::in_memory(&[]);
    let long = "x".repeat(256);
    let mut connection = docs.connect();
    for name in [
        "..",
        ".",
        ".hidden",
        "%2e%2e",
        "%2E%2e%2F%2e%2e%2fetc%2fpasswd",
        "..%2Findex.sqlite",
        "a%2Fb",
        "%2Fetc%2Fpasswd",
        "..%5Cindex.sqlite",
        "a%00",
        "%00",
        "a%0d%0aX:%20y",
        "%0a",
        "%c0%ae%c0%ae",
        "%ff",
        "a%",
        "a%4",
        "%ed%a0%80",
        &long,
        "%C2%85",
    ] {
        for method in ["GET", "DELETE"] {
            let answer = connection.ask(request(&format!("{method} /docs/{name}"), &[]));
            assert_eq!(answer.status, 400, "{method} {name}");
        }
        assert_eq!(docs.put(name, b"mine").status, 400, "{name}");
    }
    for path in [
        "/docs/../index.sqlite",
        "/docs/../../etc/passwd",
        "/../etc/passwd",
        "//etc/passwd",
        "/docs//etc/passwd",
        "/index.sqlite",
        "/lock",
        "/tmp/",
        "/docs/a/../b",
    ] {
        connection.ask(get(path)).expect(404);
        let put = request(&format!("PUT {path}"), &["Content-Length: 0"]);
        connection.ask(put).expect(404);
    }
    assert_eq!((docs.filed(), docs.temporary()), (0, 0));
    docs.stop();
}

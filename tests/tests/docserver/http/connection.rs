//! Requests on a connection: keep-alive, pipelines, HEAD.

use super::*;

#[test]
fn a_connection_takes_many_requests() {
    let docs = Docserver::in_memory(&[]);
    let mut connection = docs.connect();
    for n in 0..200 {
        let (name, body) = (format!("doc{}", n % 7), format!("document {n}"));
        let answer = connection.ask(put(&name, body.as_bytes()));
        assert_eq!(answer.expect(if n < 7 { 201 } else { 200 }).json()["name"], *name);
        let answer = connection.ask(get(&format!("/docs/{name}"))).expect(200);
        assert_eq!(text(&answer), body);
        connection.ask(get("/nothing")).expect(404);
        assert!(connection.ask(request("POST /docs", &[])).expect(405).keeps_alive());
    }
    connection.shutdown_write();
    connection.expect_end();
    docs.stop();
}

/// Answers keep their order also across requests with bodies, which another pool answers.
#[test]
fn pipelined_requests_are_answered_in_order() {
    let docs = Docserver::in_memory(&[]);
    let mut connection = docs.connect();
    let mut requests = Vec::new();
    let chunked = "PUT /docs/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\ntwo\r\n2\r\nBB\r\n0\r\n\r\n";
    requests.extend(put("a", b"one"));
    requests.extend(get("/docs/a").bytes());
    requests.extend(chunked.bytes());
    requests.extend(get("/docs/b").bytes());
    requests.extend(request("HEAD /docs/a", &[]).bytes());
    requests.extend(put("a", b"three"));
    requests.extend(get("/docs/a").bytes());
    requests.extend(request("DELETE /docs/a", &[]).bytes());
    requests.extend(get("/docs/a").bytes());
    requests.extend(get("/").bytes());
    for round in 0..20 {
        connection.send(&requests);
        let first = if round == 0 { 201 } else { 200 };
        connection.answer().expect(201);
        assert_eq!(text(&connection.answer().expect(200)), "one");
        connection.answer().expect(first);
        assert_eq!(text(&connection.answer().expect(200)), "twoBB");
        let head = connection.answer_to_head().expect(200);
        assert_eq!(head.field("content-length"), Some("3"));
        connection.answer().expect(200);
        assert_eq!(text(&connection.answer().expect(200)), "three");
        assert!(connection.answer().expect(204).body.is_empty());
        connection.answer().expect(404);
        assert!(text(&connection.answer().expect(200)).starts_with("<!doctype html>"));
    }
    docs.stop();
}

/// Cuts in a pipeline do not change its answers.
#[test]
fn cuts_in_requests_make_no_difference() {
    let docs = Docserver::in_memory(&[]);
    docs.put("a", b"one").expect(201);
    let requests = [
        &put("a", b"one two")[..],
        b"PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
          3;x=y\r\none\r\n0\r\nX: y\r\n\r\n\r\n",
        get("/docs/a").as_bytes(),
    ]
    .concat();
    for size in [1, 2, 3, 7, 50] {
        let mut connection = docs.connect();
        for piece in requests.chunks(size) {
            connection.send(piece);
        }
        connection.answer().expect(200);
        connection.answer().expect(200);
        assert_eq!(text(&connection.answer().expect(200)), "one");
    }
    docs.stop();
}

/// A client may shut down its side right after its request, as `nc -N` does.
#[test]
fn a_client_that_ends_its_stream_is_answered() {
    let docs = Docserver::in_memory(&[]);
    let mut connection = docs.connect();
    connection.send([&put("a", b"one")[..], get("/docs/a").as_bytes()].concat());
    connection.shutdown_write();
    connection.answer().expect(201);
    assert_eq!(text(&connection.answer().expect(200)), "one");
    connection.expect_end();
    docs.stop();
}

#[test]
fn the_client_decides_whether_the_connection_stays_open() {
    let docs = Docserver::in_memory(&[]);
    docs.put("a", b"one").expect(201);
    for (line, field, goes_on) in [
        ("GET /docs/a HTTP/1.1", "Host: a", true),
        ("GET /docs/a HTTP/1.1", "Host: a\r\nConnection: close", false),
        ("GET /docs/a HTTP/1.1", "Host: a\r\nConnection: x, CLOSE", false),
        ("GET /docs/a HTTP/1.0", "Host: a", false),
        ("GET /docs/a HTTP/1.0", "Connection: keep-alive", true),
        ("DELETE /docs/none HTTP/1.1", "Host: a\r\nConnection: close", false),
        ("GET /none HTTP/1.1", "Host: a\r\nConnection: close", false),
        ("GET /docs HTTP/1.0", "X: y", false),
    ] {
        let mut connection = docs.connect();
        let answer = connection.ask(format!("{line}\r\n{field}\r\n\r\n"));
        assert_eq!(answer.keeps_alive(), goes_on, "{line} {field}: {answer:?}");
        if goes_on {
            connection.ask(get("/docs/a")).expect(200);
        } else {
            connection.expect_end();
        }
    }
    docs.stop();
}

/// A HEAD is answered with the fields of GET and no body.
#[test]
fn head_is_get_without_its_body() {
    let docs = Docserver::in_memory(&[]);
    docs.put("a.md", b"one").expect(201);
    let mut connection = docs.connect();
    for path in
        ["/", "/docs", "/docs/a.md", "/docs/none", "/search?q=one", "/search", "/x", "/docs/%2e"]
    {
        let got = connection.ask(get(path));
        connection.send(request(&format!("HEAD {path}"), &[]));
        let mut head = connection.answer_to_head();
        for answer in [&mut head.fields, &mut got.fields.clone()] {
            answer.retain(|(name, _)| name != "date");
        }
        let mut fields = got.fields;
        fields.retain(|(name, _)| name != "date");
        assert_eq!((head.status, head.fields), (got.status, fields), "{path}");
    }
    // A range applies to GET alone.
    connection.send(request("HEAD /docs/a.md", &["Range: bytes=0-0"]));
    assert_eq!(connection.answer_to_head().expect(200).field("content-length"), Some("3"));
    connection.ask(get("/docs/a.md")).expect(200);
    docs.stop();
}

/// A malformed request after a HEAD is answered with a body.
#[test]
fn a_refusal_after_a_head_has_its_body() {
    let docs = Docserver::in_memory(&[]);
    let mut connection = docs.connect();
    connection.send(request("HEAD /docs", &[]));
    connection.answer_to_head().expect(200);
    let answer = connection.ask("GET  / HTTP/1.1\r\n\r\n").expect(400);
    assert_eq!(answer.json()["status"], 400);
    connection.expect_end();
    docs.stop();
}

#[test]
fn documents_are_served_so_that_no_browser_runs_them() {
    let docs = Docserver::in_memory(&[]);
    docs.put("page.html", b"<script>alert(1)</script>").expect(201);
    let answer = docs.get("/docs/page.html").expect(200);
    assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
    assert!(answer.field("content-security-policy").is_some_and(|csp| csp.contains("sandbox")));
    assert!(docs.get("/").field("content-security-policy").is_some());
    docs.stop();
}

//! `docserver` speaks HTTP/1.1 as RFC 9110 and 9112 have it, over real sockets.

#![cfg(unix)]

use std::time::Duration;

use fsm_tests::{Answer, Connection, Docs, get, put, request};

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

#[test]
fn a_connection_takes_many_requests() {
    let docs = Docs::in_memory(&[]);
    let mut connection = docs.connect();
    for n in 0..200 {
        let (name, body) = (format!("doc{}", n % 7), format!("document {n}"));
        let answer = connection.ask(put(&name, body.as_bytes()));
        assert_eq!(answer.expect(if n < 7 { 201 } else { 200 }).json()["name"], *name);
        let answer = connection.ask(get(&format!("/docs/{name}"))).expect(200);
        assert_eq!(text(&answer), body);
        connection.ask(get("/nothing")).expect(404);
        assert!(connection.ask(request("POST /docs", &[])).expect(405).goes_on());
    }
    connection.shut();
    connection.expect_end();
    docs.stop();
}

/// Also across a request with a body, whose answer another pool gives.
#[test]
fn pipelined_requests_are_answered_in_order() {
    let docs = Docs::in_memory(&[]);
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

/// Cut wherever it may be, a pipeline has the same answers.
#[test]
fn it_makes_no_difference_how_requests_are_cut() {
    let docs = Docs::in_memory(&[]);
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

/// A client may end its stream as soon as it has asked, as `nc -N` does.
#[test]
fn a_client_that_ends_its_stream_is_answered() {
    let docs = Docs::in_memory(&[]);
    let mut connection = docs.connect();
    connection.send([&put("a", b"one")[..], get("/docs/a").as_bytes()].concat());
    connection.shut();
    connection.answer().expect(201);
    assert_eq!(text(&connection.answer().expect(200)), "one");
    connection.expect_end();
    docs.stop();
}

#[test]
fn the_client_says_whether_the_connection_goes_on() {
    let docs = Docs::in_memory(&[]);
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
        assert_eq!(answer.goes_on(), goes_on, "{line} {field}: {answer:?}");
        if goes_on {
            connection.ask(get("/docs/a")).expect(200);
        } else {
            connection.expect_end();
        }
    }
    docs.stop();
}

/// The fields of HEAD are those of GET, and there is no body.
#[test]
fn head_is_get_without_its_body() {
    let docs = Docs::in_memory(&[]);
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
    // A range is for GET alone.
    connection.send(request("HEAD /docs/a.md", &["Range: bytes=0-0"]));
    assert_eq!(connection.answer_to_head().expect(200).field("content-length"), Some("3"));
    connection.ask(get("/docs/a.md")).expect(200);
    docs.stop();
}

/// What a client sends after a HEAD may be wrong, and is told so with a body.
#[test]
fn a_refusal_after_a_head_has_its_body() {
    let docs = Docs::in_memory(&[]);
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
    let docs = Docs::in_memory(&[]);
    docs.put("page.html", b"<script>alert(1)</script>").expect(201);
    let answer = docs.get("/docs/page.html").expect(200);
    assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
    assert!(answer.field("content-security-policy").is_some_and(|csp| csp.contains("sandbox")));
    assert!(docs.get("/").field("content-security-policy").is_some());
    docs.stop();
}

#[test]
fn ranges() {
    let docs = Docs::in_memory(&[]);
    docs.put("a", b"0123456789").expect(201);
    docs.put("empty", b"").expect(201);
    let mut connection = docs.connect();
    let all = "0123456789";
    for (range, status, content_range, body) in [
        ("bytes=0-0", 206, Some("bytes 0-0/10"), "0"),
        ("bytes=2-4", 206, Some("bytes 2-4/10"), "234"),
        ("Bytes=2-", 206, Some("bytes 2-9/10"), "23456789"),
        ("bytes=-3", 206, Some("bytes 7-9/10"), "789"),
        ("bytes=-30", 206, Some("bytes 0-9/10"), all),
        ("bytes=8-99", 206, Some("bytes 8-9/10"), "89"),
        ("bytes=0-99999999999999999999", 206, Some("bytes 0-9/10"), all),
        ("bytes=10-", 416, Some("bytes */10"), ""),
        ("bytes=99999999999999999999-", 416, Some("bytes */10"), ""),
        ("bytes=-0", 416, Some("bytes */10"), ""),
        ("bytes=4-2", 200, None, all),
        ("bytes=0-1,3-4", 200, None, all),
        ("lines=0-1", 200, None, all),
        ("bytes=a-b", 200, None, all),
        ("bytes=", 200, None, all),
        ("-", 200, None, all),
    ] {
        let answer = connection.ask(request("GET /docs/a", &[&format!("Range: {range}")]));
        assert_eq!(answer.status, status, "{range}");
        assert_eq!(answer.field("content-range"), content_range, "{range}");
        if status < 300 {
            assert_eq!(text(&answer), body, "{range}");
        }
    }
    // There is no first byte of nothing.
    let answer = connection.ask(request("GET /docs/empty", &["Range: bytes=0-0"])).expect(416);
    assert_eq!(answer.field("content-range"), Some("bytes */0"));
    docs.stop();
}

/// A large one from its middle, which is where the file is read from.
#[test]
fn a_range_of_a_large_document() {
    let docs = Docs::in_memory(&[]);
    let bytes = fsm_tests::Numbers::new(3).vec(3_000_000);
    docs.put("a", &bytes).expect(201);
    let answer = docs.ask(request("GET /docs/a", &["Range: bytes=1000001-2500000"])).expect(206);
    assert!(answer.body == bytes[1_000_001..=2_500_000], "the range has changed");
    docs.stop();
}

#[test]
fn a_range_of_another_version_gets_the_document() {
    let docs = Docs::in_memory(&[]);
    docs.put("a", b"0123456789").expect(201);
    let mut connection = docs.connect();
    let answer = connection.ask(get("/docs/a"));
    let (etag, date) = (answer.field("etag"), answer.field("last-modified"));
    let (etag, date) = (etag.expect("it has one"), date.expect("it has one"));
    for (if_range, status) in [
        (etag, 206),
        ("\"other\"", 200),
        (&format!("W/{etag}"), 200),
        (&format!("{etag}, {etag}"), 200),
        (date, 200),
        ("nonsense", 200),
    ] {
        let fields = ["Range: bytes=1-2", &format!("If-Range: {if_range}")];
        let answer = connection.ask(request("GET /docs/a", &fields)).expect(status);
        assert_eq!(answer.body.len(), if status == 206 { 2 } else { 10 }, "{if_range}");
    }
    docs.stop();
}

#[test]
fn conditions_of_get() {
    let docs = Docs::in_memory(&[]);
    let etag = docs.put("a", b"one").expect(201).field("etag").expect("it has one").to_owned();
    let mut connection = docs.connect();
    let answer = connection.ask(get("/docs/a"));
    assert_eq!(answer.field("etag"), Some(&*etag));
    let date = answer.field("last-modified").expect("it has one");
    let old = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (field, status) in [
        (format!("If-None-Match: {etag}"), 304),
        (format!("If-None-Match: \"x\", W/{etag}"), 304),
        ("If-None-Match: *".to_owned(), 304),
        ("If-None-Match: \"x\"".to_owned(), 200),
        (format!("If-Modified-Since: {date}"), 304),
        (format!("If-Modified-Since: {old}"), 200),
        ("If-Modified-Since: yesterday".to_owned(), 200),
        // A tag is more exact than a date.
        (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}"), 200),
        (format!("If-Match: {etag}"), 200),
        ("If-Match: *".to_owned(), 200),
        ("If-Match: \"x\"".to_owned(), 412),
        (format!("If-Match: W/{etag}"), 412),
        (format!("If-Unmodified-Since: {old}"), 412),
        (format!("If-Unmodified-Since: {date}"), 200),
        ("If-None-Match: x".to_owned(), 400),
        ("If-Match: \"x".to_owned(), 400),
        // Conditions come before ranges.
        (format!("If-None-Match: {etag}\r\nRange: bytes=0-0"), 304),
    ] {
        let answer = connection.ask(request("GET /docs/a", &[&field]));
        assert_eq!(answer.status, status, "{field}");
        if status == 304 {
            assert_eq!(answer.field("etag"), Some(&*etag), "{field}");
        }
    }
    docs.stop();
}

#[test]
fn conditions_of_put_and_delete() {
    let docs = Docs::in_memory(&[]);
    let mut connection = docs.connect();
    let mut put_if = |name: &str, body: &str, field: &str| {
        let len = format!("Content-Length: {}", body.len());
        let head = request(&format!("PUT /docs/{name}"), &[field, &len]);
        connection.ask(head + body)
    };
    put_if("a", "one", "If-Match: *").expect(412);
    let first = put_if("a", "one", "If-None-Match: *").expect(201);
    put_if("a", "two", "If-None-Match: *").expect(412);
    put_if("a", "two", "If-Match: \"x\"").expect(412);
    let etag = first.field("etag").expect("it has one").to_owned();
    let second = put_if("a", "two", &format!("If-Match: {etag}")).expect(200);
    put_if("a", "three", &format!("If-Match: {etag}")).expect(412);
    assert_eq!(text(&docs.get("/docs/a")), "two");
    let field = format!("If-Match: {etag}");
    connection.ask(request("DELETE /docs/a", &[&field])).expect(412);
    let field = format!("If-Match: {}", second.field("etag").expect("it has one"));
    assert!(connection.ask(request("DELETE /docs/a", &[&field])).expect(204).goes_on());
    connection.ask(request("DELETE /docs/a", &[&field])).expect(404);
    connection.ask(get("/docs/a")).expect(404);
    assert_eq!((docs.filed(), docs.temporary()), (0, 0));
    docs.stop();
}

/// Of two who replace the same version one comes first, and the other learns it.
#[test]
fn of_two_who_replace_a_version_one_wins() {
    let docs = Docs::in_memory(&[]);
    for round in 0..20 {
        let etag = docs.put("a", format!("{round}").as_bytes());
        let field = format!("If-Match: {}", etag.field("etag").expect("it has one"));
        let mut both: Vec<_> = (0..2).map(|_| docs.connect()).collect();
        for (n, connection) in both.iter_mut().enumerate() {
            connection.send(
                request("PUT /docs/a", &[&field, "Content-Length: 5"]) + &format!("{round:3} {n}"),
            );
        }
        let mut statuses: Vec<_> = both.iter_mut().map(|one| one.answer().status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{round}");
    }
    docs.stop();
}

#[test]
fn what_is_too_large_is_refused() {
    let docs = Docs::in_memory(&["--max-size", "1000B"]);
    docs.put("a", &[b'x'; 1000]).expect(201);
    // Without having been sent.
    let mut connection = docs.connect();
    assert!(
        !connection.ask(request("PUT /docs/a", &["Content-Length: 1001"])).expect(413).goes_on()
    );
    connection.expect_end();
    // With its end far away.
    let chunked = request("PUT /docs/a", &["Transfer-Encoding: chunked"]);
    let mut connection = docs.connect();
    connection.send(format!("{chunked}3e8\r\n{}\r\n", "y".repeat(1000)));
    assert!(connection.is_silent_for(Duration::from_millis(100)), "1000 bytes are allowed");
    assert!(!connection.ask("ff\r\ny").expect(413).goes_on());
    connection.expect_end();
    assert_eq!(docs.get("/docs/a").body, [b'x'; 1000]);
    assert_eq!((docs.filed(), docs.temporary()), (1, 0));
    docs.stop();
}

/// A client that is told to continue sends its document; one that is refused does not have to.
#[test]
fn a_client_waits_for_what_it_expects() {
    let docs = Docs::in_memory(&["--max-size", "1kB"]);
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
    assert!(!connection.ask(expect(2000, &[])).expect(413).goes_on());
    connection.expect_end();
    let mut connection = docs.connect();
    let post =
        "POST /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    assert!(!connection.ask(post).expect(405).goes_on());
    connection.expect_end();
    // Nobody waits for it in HTTP/1.0.
    let put = "PUT /docs/a HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(docs.ask(format!("{put}abc")).status, 200);
    docs.stop();
}

/// Refused, and then served again on the same connection where it is clear what comes next.
#[test]
fn refusals() {
    let docs = Docs::in_memory(&[]);
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
        assert_eq!(answer.goes_on(), goes_on, "{shown:?}");
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
    let docs = Docs::in_memory(&[]);
    let mut connection = docs.connect();
    for (line, allow) in [
        ("POST /", "GET, HEAD"),
        ("DELETE /docs", "GET, HEAD"),
        ("PUT /search?q=a", "GET, HEAD"),
        ("PUT /events", "GET"),
        ("PATCH /docs/a", "GET, HEAD, PUT, DELETE"),
        ("OPTIONS /docs/a", "GET, HEAD, PUT, DELETE"),
        ("OPTIONS *", "GET, HEAD, PUT, DELETE"),
    ] {
        let answer = connection.ask(request(line, &[])).expect(405);
        assert_eq!(answer.field("allow"), Some(allow), "{line}");
    }
    docs.stop();
}

/// Whatever a name says, no file is read or written outside the directory, nor one of the server's
/// own.
#[test]
fn no_name_leads_out_of_the_directory() {
    let docs = Docs::in_memory(&[]);
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

/// What could be the name of a file is one, also if it means something elsewhere.
#[test]
fn names_are_text() {
    let docs = Docs::in_memory(&[]);
    let longest = "%C3%A4".repeat(127) + "x";
    let mut connection = docs.connect();
    for (path, name) in [
        ("a%20b.txt", "a b.txt"),
        ("Gr%C3%BC%C3%9Fe.md", "Grüße.md"),
        ("%25%32%65", "%2e"),
        ("a+b", "a+b"),
        ("con", "con"),
        ("'%22;DROP%20TABLE%20documents;--", "'\";DROP TABLE documents;--"),
        ("%3Cscript%3E", "<script>"),
        ("a..b", "a..b"),
        ("index.sqlite", "index.sqlite"),
        ("*", "*"),
        ("%F0%9F%98%80", "😀"),
        (&*longest, &*format!("{}x", "ä".repeat(127))),
    ] {
        let answer = connection.ask(put(path, name.as_bytes())).expect(201);
        assert_eq!(answer.json()["name"], name);
        assert_eq!(text(&connection.ask(get(&format!("/docs/{path}"))).expect(200)), name);
        let absolute = get(&format!("http://somewhere:80/docs/{path}?x=y"));
        assert_eq!(text(&connection.ask(absolute).expect(200)), name);
    }
    docs.stop();
}

#[test]
fn the_list_comes_in_pages() {
    let docs = Docs::in_memory(&[]);
    let mut connection = docs.connect();
    let names: Vec<_> = (0..25).map(|n| format!("doc {n:02}&+%")).collect();
    for n in 0..25 {
        let path = format!("doc%20{n:02}&+%25");
        connection.ask(put(&path, path.as_bytes())).expect(201);
    }
    for limit in [1, 7, 24, 25, 26, 100, 1000] {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let list = connection.ask(get(&format!("/docs?limit={limit}&after={after}")));
            let list = list.expect(200).json();
            let page = list["docs"].as_array().expect("a list");
            assert!(!page.is_empty() && page.len() <= limit, "{list}");
            found.extend(page.iter().map(|doc| doc["name"].as_str().expect("a name").to_owned()));
            let Some(next) = list["next"].as_str() else { break };
            after =
                next.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace(' ', "+");
        }
        assert_eq!(found, names, "{limit}");
    }
    let list = connection.ask(get("/docs")).expect(200).json();
    assert_eq!(list["docs"].as_array().map(Vec::len), Some(20));
    let end = connection.ask(get("/docs?after=zzz")).expect(200).json();
    assert_eq!(end.to_string(), r#"{"docs":[],"next":null}"#);
    for query in ["limit=0", "limit=-1", "limit=x", "limit=", "limit=1&limit=2", "after=%ff"] {
        connection.ask(get(&format!("/docs?{query}"))).expect(400);
    }
    docs.stop();
}

#[test]
fn a_search_shows_where_the_words_are() {
    let docs = Docs::in_memory(&[]);
    docs.put("fox.txt", "The quick <b>brown</b> fox jumps.".as_bytes()).expect(201);
    docs.put("dog.txt", "Der Hund sprang über den Bären.".as_bytes()).expect(201);
    docs.put("binary", b"brown \xff fox").expect(201);
    let mut connection = docs.connect();
    let mut hits = |query: &str| {
        let json = connection.ask(get(&format!("/search?q={query}"))).expect(200).json();
        let hits = json["hits"].as_array().expect("a list").clone();
        hits.into_iter().map(|hit| hit["name"].as_str().expect("a name").to_owned()).collect()
    };
    let none: [&str; 0] = [];
    let found: Vec<String> = hits("brown");
    assert_eq!(found, ["fox.txt"]);
    for (query, names) in [
        ("fox+qui", &["fox.txt"][..]),
        ("baren", &["dog.txt"]),
        ("%C3%BCBER", &["dog.txt"]),
        ("bin", &["binary"]),
        ("fox+hund", &none),
        ("", &none),
    ] {
        let found: Vec<String> = hits(query);
        assert_eq!(found, names, "{query}");
    }
    let json = docs.get("/search?q=brown+fox&limit=1").json();
    let snippet = json["hits"][0]["snippet"].to_string();
    assert_eq!(
        snippet,
        r#"[{"mark":false,"text":"The quick <b>"},{"mark":true,"text":"brown"},{"mark":false,"text":"</b> "},{"mark":true,"text":"fox"},{"mark":false,"text":" jumps."}]"#
    );
    // What is gone is not found.
    docs.ask(request("DELETE /docs/fox.txt", &[])).expect(204);
    docs.put("dog.txt", b"replaced").expect(200);
    for query in ["brown", "hund"] {
        assert_eq!(docs.get(&format!("/search?q={query}")).json()["hits"], serde_json::json!([]));
    }
    docs.stop();
}

/// No word is an operator of the index, and none makes it fail or take long.
#[test]
fn hostile_queries_are_words() {
    let docs = Docs::in_memory(&[]);
    docs.put("a", b"the quick NOT fox").expect(201);
    let mut connection = docs.connect();
    let (many, long) = ("a+".repeat(3000), "a".repeat(7000));
    for query in [
        "%22",
        "%22%22",
        "'",
        "*",
        "%2A%2A",
        "a*b",
        "NOT",
        "OR",
        "AND+OR",
        "NEAR(a+b)",
        "name:a",
        "%7Bname+body%7D:a",
        "^a",
        "-a",
        "a-",
        "(",
        ")",
        "(a+OR",
        "%00",
        "a%00b",
        ";",
        "--",
        "%5C",
        "%22+OR+1=1",
        "%E2%92%B6",
        "%C2%B2",
        "%E0%A4%BE",
        "%E2%92%B6%20a",
        "%F0%9F%98%80",
        "%CC%81",
        "rank:a",
        "a%22*%22b",
        "%EF%BF%BE",
        "+",
        "%0D%0A",
        &many,
        &long,
    ] {
        let answer = connection.ask(get(&format!("/search?q={query}")));
        assert_eq!(answer.status, 200, "{query}: {}", text(&answer));
        assert!(answer.json()["hits"].is_array(), "{query}");
    }
    for query in ["x=y", "q=%ff", "q=a&q=b", "q=%"] {
        connection.ask(get(&format!("/search?{query}"))).expect(400);
    }
    docs.stop();
}

/// The same answers from a server that does everything in one pool.
#[test]
fn a_single_pool_answers_the_same() {
    let docs = Docs::in_memory(&["--single-pool"]);
    let mut connection: Connection = docs.connect();
    connection.ask(put("a", b"one")).expect(201);
    connection.ask(put("a", b"one two")).expect(200);
    assert_eq!(text(&connection.ask(get("/docs/a")).expect(200)), "one two");
    let search = connection.ask(get("/search?q=two")).expect(200);
    assert_eq!(search.json()["hits"][0]["name"], "a");
    let list = connection.ask(get("/docs")).expect(200);
    assert_eq!(list.json()["docs"][0]["name"], "a");
    connection.ask(request("DELETE /docs/a", &[])).expect(204);
    connection.ask(get("/docs/a")).expect(404);
    docs.stop();
}

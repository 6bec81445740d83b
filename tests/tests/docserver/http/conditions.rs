//! Ranges and conditional requests.

use super::*;

#[test]
fn ranges() {
    let docs = Docserver::in_memory(&[]);
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
    // An empty document has no first byte.
    let answer = connection.ask(request("GET /docs/empty", &["Range: bytes=0-0"])).expect(416);
    assert_eq!(answer.field("content-range"), Some("bytes */0"));
    docs.stop();
}

/// A range in the middle of a large document, which the server seeks to.
#[test]
fn a_range_of_a_large_document() {
    let docs = Docserver::in_memory(&[]);
    let bytes = Random::new(3).next_bytes(3_000_000);
    docs.put("a", &bytes).expect(201);
    let answer = docs.ask(request("GET /docs/a", &["Range: bytes=1000001-2500000"])).expect(206);
    assert!(answer.body == bytes[1_000_001..=2_500_000], "the range has changed");
    docs.stop();
}

#[test]
fn a_range_of_another_version_gets_the_document() {
    let docs = Docserver::in_memory(&[]);
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
    let docs = Docserver::in_memory(&[]);
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
        // A tag takes precedence over a date.
        (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}"), 200),
        (format!("If-Match: {etag}"), 200),
        ("If-Match: *".to_owned(), 200),
        ("If-Match: \"x\"".to_owned(), 412),
        (format!("If-Match: W/{etag}"), 412),
        (format!("If-Unmodified-Since: {old}"), 412),
        (format!("If-Unmodified-Since: {date}"), 200),
        ("If-None-Match: x".to_owned(), 400),
        ("If-Match: \"x".to_owned(), 400),
        // Conditions take precedence over ranges.
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
    let docs = Docserver::in_memory(&[]);
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
    assert!(connection.ask(request("DELETE /docs/a", &[&field])).expect(204).keeps_alive());
    connection.ask(request("DELETE /docs/a", &[&field])).expect(404);
    connection.ask(get("/docs/a")).expect(404);
    assert_eq!((docs.filed(), docs.temporary()), (0, 0));
    docs.stop();
}

/// Of two clients that replace the same version one succeeds, and the other is refused.
#[test]
fn of_two_replacements_of_a_version_one_succeeds() {
    let docs = Docserver::in_memory(&[]);
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

//! Small documents, which the front pool answers with copies once they have been asked for.

use std::fs;

use fsm_tests::eventually;

use super::*;

/// The fields of answers without the date, which is that of the answer.
type Seen = (u16, Vec<(String, String)>, Vec<u8>);

/// The answers to these requests, each with its method.
fn ask_all(docs: &Docserver, requests: &[String]) -> Vec<Seen> {
    let mut connection = docs.connect();
    let answers = requests.iter().map(|request| {
        connection.send(request);
        let is_head = request.starts_with("HEAD ");
        let answer = if is_head { connection.answer_to_head() } else { connection.answer() };
        let fields = answer.fields.into_iter().filter(|(name, _)| name != "date");
        (answer.status, fields.collect(), answer.body)
    });
    answers.collect()
}

/// A number of the metrics on the console.
fn metric(docs: &Docserver, name: &str) -> u64 {
    let console = *docs.server().addresses().last().expect("it listens");
    let mut connection = Connection::new(console);
    let scrape = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let text = text(&connection.ask(scrape).expect(200));
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is missing: {text}")).parse().expect("a number")
}

#[test]
fn a_copy_is_answered_as_the_document_is() {
    let off = Docserver::in_memory(&["--hot-bytes", "0"]);
    let mut random = Random::new(5);
    for (name, len) in [("empty.txt", 0), ("ten.txt", 10), ("a.bin", 5_000), ("b.bin", 65_536)] {
        off.put(name, &random.next_bytes(len)).expect(201);
    }
    let seen = off.get("/docs/ten.txt").expect(200);
    let [etag, modified] =
        ["etag", "last-modified"].map(|name| seen.field(name).expect("a validator").to_owned());
    let mut requests = Vec::new();
    for name in ["empty.txt", "ten.txt", "a.bin", "b.bin"] {
        for fields in [
            "",
            "Range: bytes=0-0",
            "Range: bytes=3-",
            "Range: bytes=-2",
            "Range: bytes=65536-",
            "Range: bytes=1-2, 4-5",
            &format!("If-None-Match: {etag}"),
            &format!("If-Match: {etag}"),
            &format!("If-Modified-Since: {modified}"),
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
            &format!("If-Range: {etag}\r\nRange: bytes=1-2"),
        ] {
            let fields: Vec<_> = fields.split("\r\n").filter(|field| !field.is_empty()).collect();
            for method in ["GET", "HEAD"] {
                requests.push(request(&format!("{method} /docs/{name}"), &fields));
            }
        }
    }
    let expected = ask_all(&off, &requests);
    let hot = Docserver::over(off.stop(), &["--console", "127.0.0.1:0"]);
    hot.server().logs("pool=\"console\"");
    for round in 0..3 {
        assert_eq!(ask_all(&hot, &requests), expected, "round {round}");
    }
    let (hits, misses) =
        (metric(&hot, "docserver_hot_hits_total"), metric(&hot, "docserver_hot_misses_total"));
    assert_eq!(hits + misses, 3 * requests.len() as u64);
    // The first request for each document has no copy.
    assert_eq!(misses, 4);
    hot.stop();
}

#[test]
fn a_change_ends_a_copy_at_once() {
    let docs = Docserver::in_memory(&["--hot-valid", "1d"]);
    let mut connection = docs.connect();
    connection.ask(get("/docs/a")).expect(404);
    for n in 0..200 {
        let bytes = format!("version {n}");
        docs.put("a", bytes.as_bytes()).expect(if n == 0 { 201 } else { 200 });
        for _ in 0..3 {
            assert_eq!(text(&connection.ask(get("/docs/a")).expect(200)), bytes);
        }
    }
    docs.ask(request("DELETE /docs/a", &[])).expect(204);
    connection.ask(get("/docs/a")).expect(404);
    docs.stop();
}

/// A client that has seen a version never sees an older one, however many change and read the document.
#[test]
fn a_client_sees_no_older_version_than_before() {
    let docs = Docserver::in_memory(&["--hot-valid", "1d"]);
    docs.put("a", b"0").expect(201);
    let address = docs.server().address();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(move || {
                    let (mut connection, mut last) = (Connection::new(address), 0_u32);
                    while last < 150 {
                        let answer = connection.ask(get("/docs/a")).expect(200);
                        let version = text(&answer).parse().expect("a number");
                        assert!(version >= last, "{version} came after {last}");
                        last = version;
                    }
                })
            })
            .collect();
        for version in 1..=150 {
            docs.put("a", version.to_string().as_bytes()).expect(200);
        }
        for reader in readers {
            reader.join().expect("it reads on");
        }
    });
    docs.stop();
}

#[test]
fn a_file_that_somebody_else_removes_is_missed_when_the_copy_is_too_old() {
    let docs = Docserver::in_memory(&["--hot-valid", "300ms"]);
    docs.put("a", b"bytes").expect(201);
    docs.get("/docs/a").expect(200);
    let directory = docs.data().join("docs");
    for file in fs::read_dir(directory).expect("it is there") {
        fs::remove_file(file.expect("a file").path()).expect("it can be removed");
    }
    eventually("the file is missed", || docs.get("/docs/a").status == 500);
}

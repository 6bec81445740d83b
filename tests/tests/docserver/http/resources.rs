//! Names, the list and the search.

use super::*;

/// Every valid file name is a valid document name, also if it has a meaning elsewhere.
#[test]
fn names_are_text() {
    let docs = Docserver::in_memory(&[]);
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
    let docs = Docserver::in_memory(&[]);
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
    let docs = Docserver::in_memory(&[]);
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
    // A deleted or replaced text is not found.
    docs.ask(request("DELETE /docs/fox.txt", &[])).expect(204);
    docs.put("dog.txt", b"replaced").expect(200);
    for query in ["brown", "hund"] {
        assert_eq!(docs.get(&format!("/search?q={query}")).json()["hits"], serde_json::json!([]));
    }
    docs.stop();
}

/// No word acts as an operator of the index, makes it fail or takes long.
#[test]
fn hostile_queries_are_words() {
    let docs = Docserver::in_memory(&[]);
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

/// A server with a single pool gives the same answers.
/// Small documents leave with their head, and large ones in pieces behind it.
#[test]
fn documents_of_all_sizes_arrive_as_they_were_sent() {
    for mode in [&[][..], &["--single-pool"]] {
        let docs = Docserver::in_memory(mode);
        let mut connection = docs.connect();
        for len in [0, 1, 65_535, 65_536, 65_537, 262_144, 3_000_000] {
            let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
            let name = format!("of-{len}");
            connection.ask(put(&name, &bytes)).expect(201);
            let answer = connection.ask(get(&format!("/docs/{name}"))).expect(200);
            assert!(answer.body == bytes, "{len} bytes have changed");
        }
        docs.stop();
    }
}

#[test]
fn a_single_pool_answers_the_same() {
    let docs = Docserver::in_memory(&["--single-pool"]);
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

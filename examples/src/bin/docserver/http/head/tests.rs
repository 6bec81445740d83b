use super::*;
use crate::http::Name;
use crate::http::Route;
use fsm_examples::http::Status;

/// Decodes one head from complete input.
pub(crate) fn with_head<T>(request: &str, then: impl FnOnce(Head<'_>) -> T) -> T {
    match HeadCodec::default().decode(request.as_bytes()) {
        Ok(Decoded::Frame(head, used)) => {
            assert_eq!(used, request.len(), "{request:?}");
            then(head)
        }
        other => panic!("{request:?}: {other:?}"),
    }
}

/// The status of the refusal of a head, or of its route, condition or range.
pub(crate) fn refusal(request: &str) -> u16 {
    match HeadCodec::default().decode(request.as_bytes()) {
        Err(refusal) => refusal.status.code(),
        Ok(Decoded::Frame(head, _)) => match Route::find(&head) {
            Err(refusal) => refusal.status.code(),
            Ok(route) => panic!("{request:?} went through: {route:?}"),
        },
        Ok(Decoded::More(_)) => panic!("{request:?} is not whole"),
    }
}

fn route(request: &str) -> Route {
    let request = format!("{request} HTTP/1.1\r\nHost: a\r\n\r\n");
    with_head(&request, |head| {
        Route::find(&head).unwrap_or_else(|why| panic!("{request:?}: {why}"))
    })
}

/// Decodes a head and returns the rest of the input.
fn summary(decoded: Result<Decoded<Head<'_>>, Refusal>) -> Result<Option<String>, Refusal> {
    decoded.map(|decoded| match decoded {
        Decoded::Frame(head, used) => Some(format!("{used} {head:?}")),
        Decoded::More(_) => None,
    })
}

const REFUSED: &[(u16, &str)] = &[
    // The request line.
    (400, "GET /\r\n\r\n"),
    (400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    (400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET / a HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTQ/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET / http/1.1\r\nHost: a\r\n\r\n"),
    (400, "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, " / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, " \r\n\r\n"),
    (400, "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (501, "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (501, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (505, "PRI * HTTP/2.0\r\n\r\n"),
    (505, "GET / HTTP/2\r\nHost: a\r\n\r\n"),
    (505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/01.01\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1.1\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1,1\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.11\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.x\r\nHost: a\r\n\r\n"),
    // The target.
    (400, "GET docs HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /# HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /ä HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /docs/%2e%2e HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /docs/.. HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /docs/a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /docs/a%0 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /docs?limit=x HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /docs?limit=0 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /docs?limit=%2B1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /docs?limit= HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /docs?limit=1&limit=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /search HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET /search?q=%ff HTTP/1.1\r\nHost: a\r\n\r\n"),
    (404, "GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n"),
    (404, "GET /docs/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (404, "GET /docs/a/b HTTP/1.1\r\nHost: a\r\n\r\n"),
    (404, "GET /docs/../docs HTTP/1.1\r\nHost: a\r\n\r\n"),
    (404, "GET //docs HTTP/1.1\r\nHost: a\r\n\r\n"),
    (404, "POST /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"),
    (405, "POST / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (405, "PUT /docs HTTP/1.1\r\nHost: a\r\n\r\n"),
    (405, "PATCH /docs/a HTTP/1.1\r\nHost: a\r\n\r\n"),
    // The host.
    (400, "GET / HTTP/1.1\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: \t \r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    (400, "GET http://a/ HTTP/1.1\r\n\r\n"),
    // The lines.
    (400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    (400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\x0bb\r\n\r\n"),
    (400, "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX\t: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nX(: b\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a\r\nÄ: b\r\n\r\n"),
    // The meaning of a PUT.
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Range: bytes 0-4/9\r\n\r\n"),
    (415, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n\r\n"),
    (415, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Encoding: identity, br\r\n\r\n"),
    // The framing.
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5_0\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5.\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n"),
    (
        400,
        "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    (
        400,
        "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n",
    ),
    (400, "PUT /docs/a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"),
    (
        400,
        "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
    ),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n"),
    (400, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n"),
    (501, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
    (501, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
    (501, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"),
    (501, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n"),
    (501, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n"),
    (400, "GET /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
    (400, "DELETE /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
    // The expectation.
    (417, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\n"),
    (417, "PUT /docs/a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, x\r\n\r\n"),
];

#[test]
fn malformed_heads_are_refused() {
    for &(status, request) in REFUSED {
        assert_eq!(refusal(request), status, "{request:?}");
    }
}

#[test]
fn a_refused_method_is_answered_with_the_allowed_ones() {
    for (request, allow) in [
        ("POST /docs/a", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("PUT /", "GET, HEAD, OPTIONS"),
        ("DELETE /docs", "GET, HEAD, OPTIONS"),
        ("PUT /search", "GET, HEAD, OPTIONS"),
        ("PUT /events", "GET, HEAD, OPTIONS"),
    ] {
        let request = format!("{request} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(
            with_head(&request, |head| Route::find(&head)),
            Err(Refusal::not_allowed(allow)),
            "{request}"
        );
    }
}

#[test]
fn sizes_are_bounded() {
    let target = |len| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(len));
    assert_eq!(refusal(&target(8_000)), 404);
    assert_eq!(refusal(&target(8_192)), 414);
    // Refused before the line end arrives, too.
    for (endless, status) in
        [("A".repeat(9_000), Status::NotImplemented), ("A /".repeat(3_000), Status::UriTooLong)]
    {
        let refused = HeadCodec::default().decode(endless.as_bytes()).map_err(|why| why.status);
        assert_eq!(refused.err(), Some(status));
    }

    let fields = |n| format!("GET /a HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(n));
    assert_eq!(refusal(&fields(63)), 404);
    assert_eq!(refusal(&fields(64)), 431);
}

#[test]
fn routes_are_found() {
    let name = |name: &str| Name::new(name).unwrap();
    let list = |after: &str, limit| Route::List { after: after.into(), limit };
    let search = |query: &str, limit| Route::Search { query: query.into(), limit };
    for (request, expected) in [
        ("GET /", Route::Page),
        ("HEAD /?x", Route::Page),
        ("GET http://a", Route::Page),
        ("GET HTTPS://a:1?x=y", Route::Page),
        ("GET http://[::1]:80/docs", list("", 20)),
        ("GET /docs", list("", 20)),
        ("GET /docs?limit=7&after=a+b%2fc", list("a b/c", 7)),
        ("GET /docs?&limit=1000&unknown&&x=%26", list("", 100)),
        ("GET /docs/a", Route::Get(name("a"))),
        ("HEAD /docs/a?x", Route::Get(name("a"))),
        ("PUT /docs/Gr%C3%BC%C3%9Fe+1", Route::Put(name("Grüße+1"))),
        ("DELETE /docs/a%20b", Route::Delete(name("a b"))),
        ("GET /search?q=caf%C3%A9+cr%c3%a8me", search("café crème", 20)),
        ("GET /search?limit=3&q=", search("", 3)),
        ("GET /events", Route::Events),
    ] {
        assert_eq!(route(request), expected, "{request}");
    }
}

#[test]
fn bodies_are_framed() {
    use Framing::{Chunked, Length, None};
    for (fields, framing, waits) in [
        ("X: y", None, false),
        ("Content-Length: 0", Length(0), false),
        ("Content-Length: 5", Length(5), false),
        ("Content-Length: \t 007 ", Length(7), false),
        ("content-length: 18446744073709551615", Length(u64::MAX), false),
        ("Transfer-Encoding: chunked", Chunked, false),
        ("transfer-encoding:\tCHUNKED ", Chunked, false),
        ("Transfer-Encoding: , chunked,", Chunked, false),
        ("Expect: 100-continue", None, false),
        ("Expect: 100-Continue\r\nContent-Length: 0", Length(0), false),
        ("Expect: 100-Continue\r\nContent-Length: 1", Length(1), true),
        ("Transfer-Encoding: chunked\r\nExpect: 100-continue", Chunked, true),
    ] {
        let request = format!("PUT /docs/a HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
        let found = with_head(&request, |head| (head.framing, head.expects_continue));
        assert_eq!(found, (framing, waits), "{fields}");
    }
}

#[test]
fn connections_are_kept_or_not() {
    for (version, fields, kept) in [
        ("1.1", "X: y", true),
        ("1.1", "Connection: keep-alive", true),
        ("1.1", "Connection: close", false),
        ("1.1", "connection: Upgrade, CLOSE", false),
        ("1.1", "Connection: keep-alive\r\nConnection: close", false),
        ("1.1", "Connection: closed", true),
        ("1.7", "X: y", true),
        ("1.0", "X: y", false),
        ("1.0", "Connection: Keep-Alive", true),
        ("1.0", "Connection: keep-alive, close", false),
        ("1.0", "Expect: 200-ok", false),
    ] {
        let request = format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n\r\n");
        assert_eq!(with_head(&request, |head| head.keep_alive), kept, "{version} {fields}");
    }
    with_head("HEAD / HTTP/1.0\r\n\r\n", |head| {
        assert_eq!(head.exchange(), Exchange { is_head: true, keep_alive: false });
    });
}

#[test]
fn a_connection_with_an_unread_body_closes() {
    for (len, kept) in [(0, true), (1, false)] {
        let request = format!("PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: {len}\r\n\r\n");
        with_head(&request, |head| {
            assert!(head.exchange().keep_alive);
            assert_eq!(head.exchange_unread().keep_alive, kept);
        });
    }
}

#[test]
fn a_few_empty_lines_before_a_request_are_skipped() {
    for lines in ["", "\r\n", "\r\n\r\n"] {
        let request = format!("{lines}GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        with_head(&request, |head| assert_eq!(head.target.path, "/"));
    }
}

#[test]
fn bytes_after_a_head_are_left() {
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\0\n\rGET";
    match HeadCodec::default().decode(request) {
        Ok(Decoded::Frame(head, used)) => assert_eq!((used, head.target.path), (27, "/")),
        other => panic!("{other:?}"),
    }
}

/// Cuts in the input do not change the result, and the decoder finds each head as soon as it is
/// complete.
#[test]
fn cuts_make_no_difference() {
    let accepted = [
        "\r\n\r\nGET /docs?a HTTP/1.1\r\nHost: a\r\nX: y z\r\nExpect:\r\n\r\n",
        "PUT http://a/docs/b HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n",
    ];
    for request in REFUSED.iter().map(|(_, request)| *request).chain(accepted) {
        let request = request.as_bytes();
        let whole = summary(HeadCodec::default().decode(request));
        let decode_all = |cuts: &mut dyn Iterator<Item = usize>| {
            let mut codec = HeadCodec::default();
            for end in cuts.chain([request.len()]) {
                match summary(codec.decode(&request[..end])) {
                    Ok(None) => {}
                    found => return found,
                }
            }
            Ok(None)
        };
        for at in 0..request.len() {
            assert_eq!(decode_all(&mut [at].into_iter()), whole, "cut after {at}");
        }
        assert_eq!(decode_all(&mut (0..request.len())), whole, "byte by byte");
    }
}

/// The decoder neither panics on nor misreads any short head of the significant bytes.
#[test]
fn short_heads_are_whole_or_refused() {
    const BYTES: &[u8] = b"\r\n :a/";
    let mut words = vec![Vec::new()];
    for _ in 0..6 {
        words = words
            .into_iter()
            .flat_map(|word| BYTES.iter().map(move |&byte| [&*word, &[byte]].concat()))
            .collect();
    }
    for middle in words {
        let request = [b"GET / HTTP/1.1\r\nHost: a", &*middle, b"\r\n\r\n"].concat();
        let Ok(Decoded::Frame(head, used)) = HeadCodec::default().decode(&request) else {
            continue;
        };
        // The bytes taken end with the first empty line, and every line before it is a field.
        let text = std::str::from_utf8(&request[..used]).unwrap();
        assert_eq!(text.find("\r\n\r\n"), Some(used - 4), "{text:?}");
        let lines = text.trim_end_matches("\r\n").split("\r\n").skip(1);
        assert!(lines.clone().all(|line| !line.contains(['\r', '\n'])), "{text:?}");
        assert!(lines.clone().all(|line| line.find(':').is_some_and(|at| at > 0)), "{text:?}");
        assert_eq!(head.fields.count(), lines.count(), "{text:?}");
    }
}

use super::*;

#[test]
fn requests_that_two_readers_could_read_in_two_ways_are_refused() {
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: 3, 4",
        "Content-Length: +3",
        "Content-Length: 0x3",
        "Content-Length: ",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: \u{b}chunked",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding:",
        "Transfer-Encoding : chunked",
        "Content-Length : 3",
        "X: y\r\n folded: z",
        "X: y\nContent-Length: 3",
        "X: y\rContent-Length: 3",
        "X: \0",
        "Host: y",
        " Content-Length: 3",
        "no colon",
        ": no name",
    ] {
        let mut world = World::new();
        world.send(&format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\nabc"));
        assert_eq!(world.connecting(), "", "{fields:?}");
        world.expect_last(400);
    }
}

#[test]
fn request_lines_that_are_no_request_are_refused() {
    for (status, line) in [
        (400, "GET /"),
        (400, "GET  / HTTP/1.1"),
        (400, "GET a HTTP/1.1"),
        (400, "GET /#a HTTP/1.1"),
        (400, "G@T / HTTP/1.1"),
        (400, "GET http://y/ HTTP/1.1"),
        (400, "GET http://x@x/ HTTP/1.1"),
        (400, "GET ftp://x/ HTTP/1.1"),
        (400, "GET * HTTP/1.1"),
        (505, "GET / HTTP/2.0"),
        (501, "CONNECT x:80 HTTP/1.1"),
    ] {
        let mut world = World::new();
        world.send(&format!("{line}\r\nHost: x\r\n\r\n"));
        assert_eq!(world.connecting(), "", "{line:?}");
        world.expect_last(status);
    }
    let mut world = World::new();
    world.send("GET / HTTP/1.1\r\n\r\n");
    world.expect_last(400);
}

#[test]
fn an_unknown_coding_or_expectation_is_refused() {
    for (status, field) in [(501, "Transfer-Encoding: gzip, chunked"), (417, "Expect: coffee")] {
        let mut world = World::new();
        world.send(&format!("POST / HTTP/1.1\r\nHost: x\r\n{field}\r\n\r\n"));
        world.expect_last(status);
    }
}

#[test]
fn a_malformed_chunk_ends_both_connections() {
    for chunks in [
        "x\r\n",
        "-1\r\n",
        "5 \r\n",
        "5\n",
        "10000000000000000\r\n",
        "3\r\nabcd\r\n",
        "0\r\nno field\r\n",
        "0\r\n a: b\r\n",
    ] {
        let (mut world, got) =
            World::asked("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert!(has(&got, "Transfer-Encoding: chunked"));
        world.send(chunks);
        world.expect_last(400);
        assert!(!world.target().ends_with("0\r\n\r\n"), "{chunks:?}: the body is not completed");
        assert!(world.0.other().is_ended());
    }
}

#[test]
fn nothing_after_a_refused_request_is_served() {
    let mut world = World::new();
    world.send(&format!("GET / HTTP/1.1\r\nHost : x\r\n\r\n{GET}"));
    assert_eq!(world.connecting(), "");
    world.expect_last(400);
}

use super::*;

#[test]
fn a_request_without_a_body_and_its_answer() {
    let (mut world, got) = World::asked(GET);
    assert!(got.starts_with("GET /a?b HTTP/1.1\r\nHost: x\r\n"), "{got}");
    let answer = world.answer(OK);
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"),
        "{answer}"
    );
    assert_eq!(world.0.state(), Some("Head"));
}

#[test]
fn the_connection_to_the_target_is_used_again() {
    let (mut world, _) = World::asked(GET);
    world.answer(OK);
    world.send(GET);
    assert_eq!(world.connecting(), "");
    assert!(world.target().starts_with("GET /a?b "));
    assert!(world.answer(OK).ends_with("ok"));
}

#[test]
fn pipelined_requests_are_served_one_after_another() {
    let (mut world, got) = World::asked(&GET.repeat(3));
    assert_eq!(got.matches("GET ").count(), 1);
    for _ in 0..3 {
        assert!(world.answer(OK).ends_with("ok"));
        assert!(world.target().matches("GET ").count() <= 1);
    }
    assert_eq!(world.0.state(), Some("Head"));
}

#[test]
fn a_body_of_known_length_is_passed_on_as_it_comes() {
    let (mut world, got) = World::asked("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
    assert!(has(&got, "Content-Length: 5") && body(&got) == "he", "{got}");
    world.send("lloGET / HTTP/1.1\r\n");
    assert_eq!(world.target(), "llo", "the next request waits");
    assert!(world.answer(OK).ends_with("ok"));
}

#[test]
fn a_body_in_chunks_is_passed_on_without_extensions() {
    let (mut world, got) = World::asked(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\nTrailer: Digest\r\n\r\n5;a=b\r\nhello\r\n",
    );
    assert!(has(&got, "Transfer-Encoding: chunked") && has(&got, "Trailer: Digest"), "{got}");
    assert_eq!(body(&got), "5\r\nhello\r\n");
    world.send("00A\r\n0123456789\r\n0\r\nDigest: x\r\nContent-Length: 3\r\nHost: evil\r\n\r\n");
    assert_eq!(world.target(), "a\r\n0123456789\r\n0\r\nDigest: x\r\n\r\n");
    assert!(world.answer(OK).ends_with("ok"));
}

#[test]
fn an_answer_in_chunks_is_passed_back() {
    let (mut world, _) = World::asked(GET);
    let got = world.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n");
    assert!(has(&got, "Transfer-Encoding: chunked") && body(&got) == "3\r\nabc\r\n", "{got}");
    let got = world.answer("0\r\nDigest: y\r\nSet-Cookie: z\r\n\r\n");
    assert_eq!(got, "0\r\nDigest: y\r\n\r\n");
    assert_eq!(world.0.state(), Some("Head"));
}

#[test]
fn an_answer_without_a_length_ends_with_the_connection() {
    let (mut world, _) = World::asked(GET);
    let got = world.answer("HTTP/1.1 200 OK\r\n\r\nall of it");
    assert!(has(&got, "Connection: close") && body(&got) == "all of it", "{got}");
    world.0.other().end();
    world.0.end();
    assert_eq!(world.0.ended(), Some(Ended::Done));
}

#[test]
fn a_client_of_http_1_0_gets_no_chunks() {
    let (mut world, got) = World::asked("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(got.starts_with("GET / HTTP/1.1\r\nHost: \r\n"), "{got}");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: D\r\n\r\n";
    let got = world.answer(&format!("{chunked}3\r\nabc\r\n2\r\nde\r\n0\r\nD: x\r\n\r\n"));
    assert!(has(&got, "Connection: close") && body(&got) == "abcde", "{got}");
    assert!(!got.contains("hunked") && !got.contains("Trailer"), "{got}");
    world.0.end();
    assert_eq!(world.0.ended(), Some(Ended::Done));
}

#[test]
fn a_client_of_http_1_0_may_stay_if_it_asks() {
    let (mut world, _) = World::asked("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(has(&world.answer(OK), "Connection: keep-alive"));
    assert_eq!(world.0.state(), Some("Head"));

    let (mut world, _) = World::asked("GET / HTTP/1.0\r\n\r\n");
    assert!(has(&world.answer(OK), "Connection: close"));
    assert_ne!(world.0.state(), Some("Head"));
}

/// More than the buffers hold goes through, and a reader that stops holds it up.
#[test]
fn megabytes_pass_with_bounded_memory() {
    const LEN: usize = 3 << 20;
    let (mut world, _) =
        World::asked(&format!("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {LEN}\r\n\r\n"));
    world.0.other().window(0);
    let piece = "x".repeat(LEN);
    world.send(&piece);
    assert_eq!(world.0.state(), Some("Sized"));
    world.0.other().window(usize::MAX);
    assert_eq!(world.target().len(), LEN);
    world.0.window(0);
    world
        .0
        .other()
        .send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LEN}\r\n\r\n{piece}").as_bytes());
    assert_eq!(world.0.state(), Some("Back"));
    world.0.window(usize::MAX);
    assert_eq!(body(&world.client()).len(), LEN);
    assert_eq!(world.0.state(), Some("Head"));
}

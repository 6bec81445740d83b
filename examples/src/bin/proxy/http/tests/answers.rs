use super::*;

#[test]
fn head_204_and_304_have_no_body_whatever_they_say() {
    for (method, status, fields) in [
        ("HEAD", "200 OK", "Content-Length: 9"),
        ("HEAD", "200 OK", "Transfer-Encoding: chunked"),
        ("HEAD", "200 OK", "X: no length"),
        ("GET", "204 No Content", "Content-Length: 9"),
        ("GET", "204 No Content", "Transfer-Encoding: chunked"),
        ("GET", "304 Not Modified", "Content-Length: 9"),
    ] {
        let (mut world, _) = World::asked(&GET.replace("GET", method));
        let got = world.answer(&format!("HTTP/1.1 {status}\r\n{fields}\r\n\r\n"));
        assert!(
            got.starts_with(&format!("HTTP/1.1 {status}\r\n")) && body(&got).is_empty(),
            "{got}"
        );
        assert_eq!(
            got.contains("Content-Length: 9"),
            fields.contains('9') && !status.contains("204")
        );
        assert!(!got.contains("Connection: close"), "{got}");
        assert_eq!(world.0.state(), Some("Head"), "{method} {status} {fields}");
        world.send(GET);
        assert!(world.answer(OK).ends_with("ok"));
    }
}

#[test]
fn interim_answers_are_passed_on_but_not_to_http_1_0() {
    let (mut world, _) = World::asked(GET);
    let got = world.answer("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
    assert!(got.starts_with("HTTP/1.1 103 Early Hints\r\nLink: a\r\n"), "{got}");
    assert!(world.answer(OK).ends_with("ok"));

    let (mut world, _) = World::asked("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(world.answer("HTTP/1.1 103 Early Hints\r\n\r\n"), "");
    assert_status(&world.answer(OK), 200);
}

const EXPECTING: &str =
    "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";

#[test]
fn a_client_that_expects_100_gets_it_from_the_target() {
    let (mut world, got) = World::asked(EXPECTING);
    assert!(has(&got, "Expect: 100-continue") && body(&got).is_empty(), "{got}");
    assert_status(&world.answer("HTTP/1.1 100 Continue\r\n\r\n"), 100);
    world.send("body");
    assert_eq!(world.target(), "body");
    assert!(world.answer(OK).ends_with("ok"));
    assert_eq!(world.0.state(), Some("Head"));
}

#[test]
fn a_target_that_does_not_want_the_body_answers_at_once() {
    let (mut world, _) = World::asked(EXPECTING);
    let got = world.answer("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    assert!(has(&got, "Connection: close") && got.ends_with("no"), "{got}");
    world.0.end();
    assert_eq!(world.0.ended(), Some(Ended::Done));
}

#[test]
fn a_target_that_says_nothing_gets_the_body_after_a_while() {
    let (mut world, _) = World::asked(EXPECTING);
    world.send("body");
    assert_eq!(world.target(), "");
    world.0.advance(SECOND);
    assert_eq!(world.target(), "body");
    // It changes its mind: the client can take that, and gets one answer.
    assert_status(&world.answer("HTTP/1.1 100 Continue\r\n\r\n"), 100);
    assert!(world.answer(OK).ends_with("ok"));
    assert_eq!(world.target(), "");
}

#[test]
fn a_target_that_ends_its_stream_gets_no_further_request() {
    let (mut world, _) = World::asked(GET);
    let got = world.answer(&OK.replace("OK\r\n", "OK\r\nConnection: close\r\n"));
    assert!(!got.contains("Connection"), "the client stays: {got}");
    world.send(GET);
    assert_eq!((world.target().as_str(), world.connecting().as_str()), ("", ""));
    world.0.other().end();
    assert_eq!(world.connecting(), "10.0.0.1:80");
    world.0.accept();
    assert!(world.target().starts_with("GET "));
    assert!(world.answer(OK).ends_with("ok"));

    // One that announces its end and stays ends the connection of the client.
    world.send(GET);
    world.answer("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
    world.0.advance(SECOND);
    world.0.end();
    assert_eq!(world.0.ended(), Some(Ended::Done));
}

#[test]
fn an_answer_that_cannot_be_read_is_502() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "H\r\nTTP/1.1 200 OK\r\n\r\n",
        "SSH-2.0\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        let (mut world, _) = World::asked(GET);
        world.0.other().send(answer.as_bytes());
        world.expect_last(502);
        assert!(world.0.other().is_ended(), "{answer:?}: the connection is not used again");
    }
    let (mut world, _) = World::asked(GET);
    world
        .0
        .other()
        .send(format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "x".repeat(40_000)).as_bytes());
    world.expect_last(502);
}

#[test]
fn an_answer_that_breaks_off_is_not_completed() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcde",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nno field\r\n",
    ] {
        let (mut world, _) = World::asked(GET);
        let mut got = world.answer(answer);
        world.0.other().end();
        got += &world.client();
        assert!(!got.ends_with("0\r\n\r\n") && got.matches("HTTP/1.1").count() == 1, "{got}");
        world.0.end();
        assert_eq!(world.0.ended(), Some(Ended::Done));
    }
}

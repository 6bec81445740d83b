use super::*;

/// A client whose connection to the target has served a request.
fn used() -> World {
    let (mut world, _) = World::asked(GET);
    world.answer(OK);
    world
}

#[test]
fn a_target_that_refuses_leads_to_the_next_one() {
    let mut world = World::with_targets(&["10.0.0.1:80", "10.0.0.2:80"]);
    world.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(world.connecting(), "10.0.0.1:80");
    world.0.refuse(ErrorKind::ConnectionRefused);
    world.0.advance(SECOND);
    assert_eq!(world.connecting(), "10.0.0.2:80");
    world.0.accept();
    let got = world.target();
    assert!(
        got.starts_with("PUT ") && got.matches("PUT").count() == 1 && body(&got) == "hi",
        "{got}"
    );
    world.answer(OK);
    // The client stays with the target that works.
    world.send(GET);
    assert_eq!(world.connecting(), "");
}

#[test]
fn the_answer_is_503_if_all_refuse_and_504_if_the_last_is_silent() {
    for (is_silent, status) in [(false, 503), (true, 504)] {
        let mut world = World::with_targets(&["10.0.0.1:80", "10.0.0.2:80"]);
        world.send(GET);
        world.0.refuse(ErrorKind::ConnectionRefused);
        world.0.advance(SECOND);
        if is_silent {
            world.0.advance(5 * SECOND);
        } else {
            world.0.refuse(ErrorKind::ConnectionRefused);
            world.0.advance(SECOND);
        }
        assert_status(&world.client(), status);
        assert_eq!(world.0.state(), Some("Head"), "the client may go on");
        world.send(GET);
        assert_ne!(world.connecting(), "");
    }
}

#[test]
fn a_refused_body_has_an_unknown_end_so_the_connection_closes() {
    let mut world = World::new();
    world.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n");
    world.0.refuse(ErrorKind::ConnectionRefused);
    world.0.advance(SECOND);
    world.expect_last(503);
}

#[test]
fn a_request_without_effect_is_sent_again_once_if_a_used_connection_ends() {
    for by_reset in [false, true] {
        for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
            let mut world = used();
            world.send(&GET.replace("GET", method));
            assert!(world.target().starts_with(method));
            let end = |world: &mut World| {
                if by_reset { world.0.other().reset() } else { world.0.other().end() }
            };
            end(&mut world);
            world.0.advance(SECOND);
            assert_eq!(world.connecting(), "10.0.0.1:80");
            world.0.accept();
            let again = world.target();
            assert!(again.starts_with(method) && again.matches("Host").count() == 1, "{again}");
            end(&mut world);
            world.expect_last(502);
        }
    }
}

#[test]
fn everything_else_is_502() {
    let post = "POST / HTTP/1.1\r\nHost: x\r\n\r\n";
    let put = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx";
    for request in [post, put] {
        let mut world = used();
        world.send(request);
        world.0.other().end();
        world.expect_last(502);
    }
    // A fresh connection.
    let (mut world, _) = World::asked(GET);
    world.0.other().end();
    world.expect_last(502);
    // An answer that has begun.
    for begun in ["H", "HTTP/1.1 103 Early Hints\r\n\r\n"] {
        let mut world = used();
        world.send(GET);
        world.answer(begun);
        world.0.other().end();
        assert!(world.client().contains("HTTP/1.1 502 "), "{begun:?}");
        assert_eq!(world.connecting(), "");
    }
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let mut world = used();
    world.0.other().end();
    world.send("POST / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(world.connecting(), "10.0.0.1:80");
    world.0.accept();
    assert!(world.target().starts_with("POST "));
    assert!(world.answer(OK).ends_with("ok"));
}

#[test]
fn bytes_that_nobody_has_asked_for_are_no_answer() {
    let mut world = used();
    world.0.other().send(OK.as_bytes());
    world.send(GET);
    assert_eq!(world.connecting(), "10.0.0.1:80");
    world.0.accept();
    assert!(
        world
            .answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            .starts_with("HTTP/1.1 404")
    );
}

#[test]
fn a_target_that_takes_no_more_of_the_body_may_have_answered() {
    let (mut world, _) = World::asked("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234");
    world.0.other().reset();
    world.send("56789");
    world.expect_last(502);
}

#[test]
fn a_target_that_is_silent_holds_up_one_client() {
    let targets = shared(&["10.0.0.1:80", "10.0.0.2:80"]);
    let mut first = World::of("192.0.2.7:4000", &targets);
    first.send(GET);
    assert_eq!(first.connecting(), "10.0.0.1:80");
    first.0.advance(5 * SECOND);
    assert_eq!(first.connecting(), "10.0.0.2:80");
    for port in 4001..4005 {
        let mut other = World::of(&format!("192.0.2.7:{port}"), &targets);
        other.send(GET);
        assert_eq!(other.connecting(), "10.0.0.2:80");
    }
}

use super::*;

/// Nothing is said before this time has passed, and this status then.
#[track_caller]
fn expect_after(world: &mut World, seconds: u32, status: u16) {
    pass(world, seconds);
    world.expect_last(status);
}

#[track_caller]
fn pass(world: &mut World, seconds: u32) {
    world.0.advance((seconds - 1) * SECOND + 9 * SECOND / 10);
    assert_eq!(world.client(), "");
    world.0.advance(SECOND / 10);
    // A moment longer, in which an answer of the target would be read.
    world.0.advance(SECOND / 10);
}

#[test]
fn a_head_has_ten_seconds_from_its_first_byte() {
    let mut world = World::new();
    world.0.advance(50 * SECOND);
    world.send("GET / HT");
    expect_after(&mut world, 10, 408);
}

#[test]
fn a_client_may_pause_for_a_minute_between_requests() {
    let (mut world, _) = World::asked(GET);
    world.answer(OK);
    world.0.advance(59 * SECOND);
    assert_eq!(world.0.state(), Some("Head"));
    world.0.advance(SECOND);
    world.0.end();
    assert_eq!((world.client().as_str(), world.0.ended()), ("", Some(Ended::Done)));
}

#[test]
fn a_body_that_stops_is_408_after_half_a_minute() {
    for framing in [
        "Content-Length: 9\r\n\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
    ] {
        let (mut world, _) = World::asked(&format!("PUT / HTTP/1.1\r\nHost: x\r\n{framing}"));
        expect_after(&mut world, 30, 408);
    }
}

#[test]
fn a_target_that_takes_nothing_of_a_body_is_504() {
    let mut world = World::new();
    world.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    world.0.accept();
    world.0.other().window(0);
    world.send(&"x".repeat(500_000));
    pass(&mut world, 30);
    world.expect_last_words(504);
    // The target has the time of the linger for the part of the body that was queued for it.
    assert_eq!(world.0.ended(), None);
    world.0.advance(5 * SECOND);
    assert_eq!(world.0.ended(), Some(Ended::SendTimeout));
}

#[test]
fn an_answer_has_a_minute() {
    let (mut world, _) = World::asked(GET);
    expect_after(&mut world, 60, 504);
}

#[test]
fn an_answer_that_stops_is_cut_off_after_half_a_minute() {
    let (mut world, _) = World::asked(GET);
    world.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    world.0.advance(30 * SECOND);
    world.0.end();
    assert_eq!((world.client().as_str(), world.0.ended()), ("", Some(Ended::Done)));
}

#[test]
fn a_head_that_is_too_large_is_431() {
    let mut world = World::new();
    world.send(&format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "x".repeat(33_000)));
    world.expect_last(431);
}

#[test]
fn a_drain_ends_clients_at_rest_and_lets_answers_end() {
    let (mut world, _) = World::asked(GET);
    world.0.drain();
    assert_eq!(world.0.ended(), None);
    assert!(has(&world.answer(OK), "Connection: close"));

    let (mut world, _) = World::asked(GET);
    world.answer(OK);
    world.0.drain();
    assert_eq!(world.0.ended(), Some(Ended::Drained));
}

#[test]
fn an_answer_that_comes_while_a_body_has_stopped_reaches_the_client() {
    for framing in ["Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n"] {
        let (mut world, _) = World::asked(&format!("PUT / HTTP/1.1\r\nHost: x\r\n{framing}"));
        world.0.other().send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
        world.0.other().end();
        world.0.advance(if framing.starts_with('C') { 2 * SECOND } else { 31 * SECOND });
        world.expect_last(401);
    }
}

#[test]
fn interim_answers_without_end_are_502() {
    let (mut world, _) = World::asked("GET / HTTP/1.0\r\n\r\n");
    for _ in 0..16 {
        assert_eq!(world.answer("HTTP/1.1 103 Early Hints\r\n\r\n"), "");
    }
    world.0.other().send(b"HTTP/1.1 103 Early Hints\r\n\r\n");
    world.expect_last(502);
}

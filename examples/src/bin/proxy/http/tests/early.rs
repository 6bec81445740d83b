//! Answers that begin before the body of their request has left.

use super::*;

const SIZED: &str = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234";
const CHUNKED: &str =
    "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n";
const TOO_LARGE: &str = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n";

#[test]
fn an_early_answer_is_passed_back_at_once() {
    for request in [SIZED, CHUNKED, &format!("{CHUNKED}5\r\n01")] {
        let (mut world, _) = World::asked(request);
        let got = world.answer(TOO_LARGE);
        assert_status(&got, 413);
        assert!(has(&got, "Connection: close"), "{got}");
        world.0.end();
        assert_eq!(world.0.ended(), Some(Ended::Done));
    }
}

#[test]
fn a_body_goes_on_behind_an_interim_answer() {
    for interim in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"]
    {
        for (request, rest) in [
            (SIZED.to_owned(), "56789"),
            (CHUNKED.to_owned(), "1\r\n5\r\n0\r\n\r\n"),
            (format!("{CHUNKED}5\r\n01"), "234\r\n0\r\n\r\n"),
        ] {
            let (mut world, _) = World::asked(&request);
            assert!(world.answer(interim).starts_with("HTTP/1.1 10"));
            world.send(rest);
            assert_eq!(world.target(), rest);
            assert_status(&world.answer(OK), 200);
            assert_eq!(world.0.state(), Some("Head"), "{request} {interim}");
        }
    }
}

#[test]
fn a_target_that_ends_in_the_middle_of_a_body_is_a_bad_gateway_at_once() {
    for request in [SIZED, CHUNKED] {
        let (mut world, _) = World::asked(request);
        world.0.other().end();
        world.expect_last(502);
    }
}

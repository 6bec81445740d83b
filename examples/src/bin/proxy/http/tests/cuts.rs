use super::*;

/// The bytes that both sides get, with both streams cut at these places.
fn run(request: &str, answer: &str, cuts: (usize, usize)) -> (String, String) {
    let mut world = World::new();
    let (first, second) = request.split_at(cuts.0);
    let mut target = String::new();
    world.send(first);
    if !world.connecting().is_empty() {
        world.0.accept();
        target += &world.target();
    }
    world.send(second);
    if !world.connecting().is_empty() {
        world.0.accept();
    }
    target += &world.target();
    let (first, second) = answer.split_at(cuts.1);
    let mut client = world.answer(first);
    client += &world.answer(second);
    assert_eq!(world.0.state(), Some("Head"), "{cuts:?}");
    (client, target)
}

#[test]
fn cuts_make_no_difference() {
    let interim = format!("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n{OK}");
    let chunks = "5;a\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nDigest: x\r\n\r\n";
    let sized = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    let chunked =
        format!("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    let back = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    for (request, answer) in [(GET, OK), (sized, &interim), (&chunked, &back)] {
        let whole = run(request, answer, (0, 0));
        for cut in 0..=request.len() {
            assert_eq!(run(request, answer, (cut, 0)), whole, "the request at {cut}");
        }
        for cut in 0..=answer.len() {
            assert_eq!(run(request, answer, (0, cut)), whole, "the answer at {cut}");
        }
    }
}

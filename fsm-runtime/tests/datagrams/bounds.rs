use std::net::UdpSocket;

use super::*;

#[test]
fn d2_at_the_limit_others_are_dropped_and_counted() {
    let running = serve(|builder| builder.max_connections(2));
    let clients: Vec<UdpSocket> = (0..3).map(|_| client(address(&running))).collect();
    assert_eq!([ask(&clients[0], "+"), ask(&clients[1], "+")], ["1", "1"]);
    clients[2].send(b"+").unwrap();
    wait_for(&running, |stats| stats.datagrams_dropped == 1);
    // Those that have a session are served.
    assert_eq!([ask(&clients[0], "+"), ask(&clients[0], "-")], ["2", "2 in all"]);
    wait_for(&running, |stats| stats.open == 1);
    assert_eq!(ask(&clients[2], "+"), "1");
    assert_eq!((running.stats().peak, running.stats().open), (2, 2));
}

#[test]
fn d2_many_peers_whose_machines_end_need_no_room() {
    let running = serve(|builder| builder.max_connections(100));
    let server = address(&running);
    // As many as the pool takes at a time have asked before any answer is read.
    for _ in 0..20 {
        let clients: Vec<UdpSocket> = (0..50).map(|_| client(server)).collect();
        for client in &clients {
            client.send(b"quiet").unwrap();
        }
        assert_eq!(ask(&clients[0], "hello"), "you said hello");
    }
    let stats = wait_for(&running, |stats| stats.done == 1020);
    assert_eq!((stats.open, stats.datagrams_dropped), (0, 0));
}

#[test]
fn d2_what_waits_for_a_session_is_bounded() {
    let running = serve(|builder| builder);
    let socket = client(address(&running));
    socket.send(b"nap").unwrap();
    wait_for(&running, |stats| stats.open == 1);
    for _ in 0..100 {
        socket.send(b"+").unwrap();
    }
    assert_eq!(receive(&socket), "awake");
    let answers = (1..=64).map(|_| receive(&socket)).collect::<Vec<_>>();
    assert_eq!(answers.last().unwrap(), "64");
    assert_eq!(wait_for(&running, |stats| stats.datagrams_dropped > 0).datagrams_dropped, 36);
}

#[test]
fn d1_what_is_empty_or_too_large_is_dropped() {
    let running = serve(|builder| builder);
    let socket = client(address(&running));
    socket.send(b"").unwrap();
    socket.send(&[b'x'; 513]).unwrap();
    socket.send(&vec![b'x'; 60_000]).unwrap();
    assert_eq!(ask(&socket, "hello"), "you said hello");
    assert_eq!((running.stats().datagrams_dropped, running.stats().accepted), (3, 1));
}

#[test]
fn d1_an_answer_above_the_mark_is_not_sent() {
    let running = serve(|builder| builder.output_mark(20));
    let socket = client(address(&running));
    for question in ["large", "pieces", "this is much too long"] {
        socket.send(question.as_bytes()).unwrap();
    }
    assert_eq!(ask(&socket, "hello"), "you said hello");
    assert_eq!(running.stats().datagrams_unsent, 3);
    // The answer may have 20 bytes.
    assert_eq!(ask(&socket, "hello world"), "you said hello world");
    assert_eq!(running.stats().datagrams_unsent, 3);
}

#[test]
fn pitfall_19_a_large_datagram_is_not_truncated() {
    // Of 40,000 bytes a part would fit into the `max` of the machine.
    let running = serve(|builder| builder);
    let socket = client(address(&running));
    socket.send(&vec![b'x'; 40_000]).unwrap();
    assert_eq!(ask(&socket, &"y".repeat(503)), format!("you said {}", "y".repeat(503)));
    assert_eq!(running.stats().datagrams_dropped, 1);
}

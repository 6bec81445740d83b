use std::net::UdpSocket;
use std::time::Duration;

use super::*;

#[test]
fn d1_one_datagram_is_one_read_and_one_answer() {
    let running = serve(|builder| builder);
    let socket = client(address(&running));
    assert_eq!(ask(&socket, "hello"), "you said hello");
    assert_eq!(ask(&socket, "who"), socket.local_addr().unwrap().to_string());
    let pieces = ask(&socket, "pieces");
    assert_eq!(pieces.len(), 40 * 1101);
    // Shared and copied output keep their order.
    assert!(pieces.as_bytes().chunks(1101).all(|piece| piece[1100] == b'.'));
}

#[test]
fn d1_an_answer_comes_from_the_address_that_was_asked() {
    let builder = Pool::builder::<Answers>("answers").listen("udp:0.0.0.0:0");
    let running = builder.handler(Client).start().unwrap();
    let port = address(&running).port();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for host in ["127.0.0.1", "127.0.0.2"] {
        let server = SocketAddr::new(host.parse().unwrap(), port);
        socket.send_to(b"+", server).unwrap();
        let (len, from) = socket.recv_from(&mut [0; 64]).unwrap();
        // Each of the two is a session of its own.
        assert_eq!((len, from), (1, server));
    }
    assert_eq!(running.stats().open, 2);
}

#[test]
fn d2_a_machine_that_waits_again_has_a_session() {
    let running = serve(|builder| builder);
    let (first, second) = (client(address(&running)), client(address(&running)));
    assert_eq!([ask(&first, "+"), ask(&first, "+"), ask(&second, "+")], ["1", "2", "1"]);
    assert_eq!(ask(&first, "+"), "3");
    assert_eq!(running.stats().open, 2);
    assert_eq!([ask(&second, "-"), ask(&first, "-")], ["1 in all", "3 in all"]);
    // The machine that comes next begins from its start.
    assert_eq!(ask(&first, "-"), "you said -");
    let stats = wait_for(&running, |stats| stats.open == 0);
    assert_eq!((stats.accepted, stats.done, stats.datagrams_dropped), (3, 3, 0));
}

#[test]
fn d3_datagrams_that_wait_get_the_next_machine_in_their_order() {
    for threads in [1, 3] {
        let running = serve(|builder| builder.threads(threads));
        let socket = client(address(&running));
        // They come while the machine sleeps.
        socket.send(b"nap").unwrap();
        for word in ["+", "+", "-", "one", "+", "+", "-", "two"] {
            socket.send(word.as_bytes()).unwrap();
        }
        let answers: Vec<String> = (0..9).map(|_| receive(&socket)).collect();
        let expected = "awake,1,2,2 in all,you said one,1,2,2 in all,you said two";
        assert_eq!(answers.join(","), expected, "{threads} threads");
        assert_eq!(wait_for(&running, |stats| stats.open == 0).done, 4);
    }
}

/// Answers with the second of two messages, so that it has a mailbox.
#[state_machine(start = Ask, message = u8)]
enum Posted {
    #[read(datagram, max = 8, idle = 20s => Gone)]
    #[to(Wait | Gone)]
    Ask,
    #[message(within = 20s => Gone)]
    #[to(Gone)]
    Wait,
    #[end]
    Gone,
}

struct Poster(std::sync::mpsc::Sender<Key>);

impl posted::Handler for Poster {
    fn ask(&mut self, datagram: &[u8], cx: &mut Cx<'_, u8>) -> posted::AfterAsk {
        if datagram != b"post" {
            cx.write(datagram);
            return posted::AfterAsk::Gone;
        }
        self.0.send(cx.key()).unwrap();
        posted::AfterAsk::Wait
    }

    fn wait(&mut self, message: u8, cx: &mut Cx<'_, u8>) -> posted::AfterWait {
        write!(cx, "{message}");
        posted::AfterWait::Gone
    }
}

#[test]
fn d3_a_machine_with_a_mailbox_has_a_session_of_its_own() {
    for threads in [1, 3] {
        let (sender, keys) = std::sync::mpsc::channel();
        let builder = Pool::builder::<Posted>("posted").listen("udp:127.0.0.1:0").threads(threads);
        let handle = builder.handle();
        let running = builder.handler(move |_| Poster(sender.clone())).start().unwrap();
        let socket = client(address(&running));
        for word in ["post", "a", "post", "b"] {
            socket.send(word.as_bytes()).unwrap();
        }
        let first = keys.recv_timeout(Duration::from_secs(10)).unwrap();
        handle.post(first, 7).unwrap();
        assert_eq!([receive(&socket), receive(&socket)], ["7", "a"]);
        let second = keys.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_ne!(first, second);
        assert!(handle.post(first, 8).is_err());
        handle.post(second, 9).unwrap();
        assert_eq!([receive(&socket), receive(&socket)], ["9", "b"]);
    }
}

#[test]
fn d2_x8_a_panic_ends_one_session() {
    let running = serve(|builder| builder);
    let (first, second) = (client(address(&running)), client(address(&running)));
    assert_eq!(ask(&second, "+"), "1");
    first.send(b"panic").unwrap();
    wait_for(&running, |stats| stats.panicked == 1);
    assert_eq!([ask(&second, "+"), ask(&first, "+")], ["2", "1"]);
}

#[test]
fn d2_with_reuse_port_each_shard_has_a_socket() {
    let running = serve(|builder| builder.shards(3).reuse_port());
    let clients: Vec<UdpSocket> = (0..30).map(|_| client(address(&running))).collect();
    for expected in ["1", "2"] {
        for client in &clients {
            assert_eq!(ask(client, "+"), expected);
        }
    }
    assert_eq!(running.stats().open, 30);
}

#[test]
fn d5_a_drain_answers_what_waits_and_begins_no_more() {
    let running = serve(|builder| builder);
    let server = address(&running);
    let (first, second) = (client(server), client(server));
    assert_eq!(ask(&first, "+"), "1");
    second.send(b"nap").unwrap();
    wait_for(&running, |stats| stats.open == 2);
    second.send(b"-").unwrap();
    let stats = running.drain().unwrap();
    // The one that rests is closed, and the other one goes on.
    assert_eq!([receive(&second), receive(&second)], ["awake", "0 in all"]);
    assert_eq!((stats.drained, stats.done), (1, 1));
    // Nobody listens any more.
    first.send(b"+").unwrap();
    assert!(first.recv(&mut [0; 8]).is_err());
}

//! Readiness and the ends of streams.

use super::*;

#[test]
fn pitfall_1_and_2_a_burst_larger_than_a_turn_is_answered_whole() {
    let (_running, address) = serve();
    let stream = connect(address);
    let lines = 300_000;
    let writer = stream.try_clone().unwrap();
    // A burst of a megabyte exceeds the limits of a turn on bytes, calls and output.
    let sent = thread::spawn(move || (&writer).write_all("ab\n".repeat(lines).as_bytes()).unwrap());
    let mut answers = vec![0; 2 * lines];
    (&stream).read_exact(&mut answers).unwrap();
    assert!(answers == "2\n".repeat(lines).into_bytes());
    sent.join().unwrap();
}

#[test]
fn pitfall_5_a_half_closed_client_gets_all_its_answers() {
    let (running, address) = serve();
    let mut stream = connect(address);
    stream.write_all(b"a\nbb\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers, "1\n2\nlast\n");
    assert_eq!(running.drain().unwrap().done, 1);
}

#[test]
fn pitfall_5_an_end_that_arrives_with_the_last_bytes_is_seen() {
    // The end of the stream arrives in the same event as the last bytes, and no event follows.
    let (entered, inside) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0").handler(move |_| {
        let (entered, gate) = (entered.clone(), Arc::clone(&gate));
        let on_line = move || {
            entered.send(()).unwrap();
            gate.lock().unwrap().recv().unwrap();
        };
        Client { on_line: Box::new(on_line) }
    });
    let (running, address) = start(pool);
    let busy = connect(address);
    (&busy).write_all(b"busy\n").unwrap();
    inside.recv().unwrap();
    let mut quick = connect(address);
    quick.write_all(b"quick\n").unwrap();
    quick.shutdown(Shutdown::Write).unwrap();
    release.send(()).unwrap();
    release.send(()).unwrap();
    let mut answers = String::new();
    quick.read_to_string(&mut answers).unwrap();
    assert_eq!(answers, "5\nlast\n");
    drop(busy);
    assert_eq!(running.drain().unwrap().open, 0);
}

/// Says a word and ends.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Farewell {
    #[read(until = b"\n", max = 64, idle = 30s => Gone)]
    #[to(Gone)]
    Line,
    #[end]
    Gone,
}

/// Tells the test when it is dropped.
struct Polite(Option<mpsc::Sender<()>>);

impl Drop for Polite {
    fn drop(&mut self) {
        if let Some(dropped) = &self.0 {
            dropped.send(()).unwrap();
        }
    }
}

impl farewell::Handler for Polite {
    fn line(&mut self, _: &[u8], cx: &mut Cx<'_>) -> farewell::AfterLine {
        cx.write(b"bye\n");
        farewell::AfterLine::Gone
    }
}

fn say_farewell() -> (Running, SocketAddr) {
    start(Pool::builder::<Farewell>("farewell").listen("127.0.0.1:0").handler(|_| Polite(None)))
}

/// As an upload that is refused while its body is under way: nothing is unread when the machine ends, and
/// the peer goes on sending before it reads.
#[test]
fn l15_g2_an_end_is_heard_by_a_peer_that_goes_on_sending() {
    let (running, address) = say_farewell();
    let mut stream = connect(address);
    stream.write_all(b"hello\n").unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"bye\n");
    // The end of the stream follows the answer, so from here on the server has shut its side.
    let mut peeked = [0; 1];
    assert_eq!(stream.peek(&mut peeked).unwrap(), 0);
    for _ in 0..20 {
        stream.write_all(&vec![b'x'; 100_000]).unwrap();
    }
    assert_eq!(stream.read(&mut peeked).unwrap(), 0);
    drop(stream);
    assert_eq!(running.drain().unwrap().done, 1);
}

/// A peer that heard the end and stays is not waited for.
#[test]
fn g2_a_drain_does_not_wait_for_peers_that_stay() {
    for threads in [1, 2] {
        let pool = Pool::builder::<Farewell>("farewell").listen("127.0.0.1:0").threads(threads);
        let (running, address) =
            start(pool.linger(Duration::from_secs(60)).handler(|_| Polite(None)));
        let mut stream = connect(address);
        stream.write_all(b"hello\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "bye\n");
        let start = Instant::now();
        assert_eq!(running.drain().unwrap().done, 1);
        assert!(start.elapsed() < Duration::from_secs(20), "it waited for the linger");
    }
}

/// Resources that a handler gives back in its `Drop` do not wait for a peer that stays.
#[test]
fn g2_a_handler_is_dropped_when_the_machine_has_ended() {
    for threads in [1, 2] {
        let (drops, dropped) = mpsc::channel();
        let pool = Pool::builder::<Farewell>("farewell").listen("127.0.0.1:0").threads(threads);
        let pool = pool.linger(Duration::from_secs(3_600));
        let (running, address) = start(pool.handler(move |_| Polite(Some(drops.clone()))));
        let mut stream = connect(address);
        stream.write_all(b"hello\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "bye\n");
        dropped.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(running.stats().open, 1, "the peer may still send");
        drop(stream);
        assert_eq!(running.drain().unwrap().done, 1);
        assert!(dropped.try_recv().is_err(), "once");
    }
}

#[test]
fn pitfall_14_every_one_of_many_ready_sockets_has_its_turn() {
    let (_running, address) = serve();
    let streams: Vec<_> = (0..2_000).map(|_| connect(address)).collect();
    for _ in 0..3 {
        for mut stream in &streams {
            stream.write_all(b"four\n").unwrap();
        }
        for mut stream in &streams {
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"4\n");
        }
    }
}

#[test]
fn pitfall_18_a_reset_ends_one_connection_and_nothing_else() {
    let (running, address) = serve();
    let other = connect(address);
    for _ in 0..50 {
        let stream = connect(address);
        (&stream).write_all(&b"x\n".repeat(1_000)).unwrap();
        // Closing with unread answers resets the connection.
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
    ask(&other, "still here\n", "10\n");
    drop(other);
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.open, stats.panicked), (51, 0, 0));
}

#[test]
fn pitfall_22_a_pool_with_open_connections_is_dropped_cleanly() {
    let (running, address) = serve();
    let stream = connect(address);
    ask(&stream, "abc\n", "3\n");
    drop(running);
    // The pool closes it within a request or at rest, and in either case the stream ends.
    match (&stream).read(&mut [0; 8]) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn pitfall_4_spurious_events_do_nothing() {
    let mut peer = Session::<Lengths, _>::new(Client { on_line: Box::new(|| ()) });
    for _ in 0..3 {
        peer.send(b"");
        peer.advance(Duration::ZERO);
    }
    assert_eq!((peer.state(), peer.receive()), (Some("Line"), b"".into()));
}

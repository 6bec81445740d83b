//! Drains (X11).

use super::*;

#[test]
fn x11_a_drain_answers_input_that_arrived_and_ends_by_itself() {
    let (running, address) = serve();
    let mut streams: Vec<_> = (0..50).map(|_| connect(address)).collect();
    for stream in &streams {
        ask(stream, "abc\n", "3\n");
    }
    for (n, stream) in streams.iter_mut().enumerate() {
        let request: &[u8] = if n % 2 == 0 { b"hello\n" } else { b"" };
        stream.write_all(request).unwrap();
    }
    let began = Instant::now();
    let stats = running.drain().unwrap();
    assert_eq!((stats.open, stats.drained), (0, 50));
    assert!(began.elapsed() < Duration::from_secs(10), "it did not wait for anything");
    for (n, stream) in streams.iter_mut().enumerate() {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, if n % 2 == 0 { "5\n" } else { "" }, "a clean end, after the answer");
    }
}

#[test]
fn x11_a_drain_takes_those_that_the_system_has_already_accepted() {
    let (entered, inside) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let mut first = Some((entered, gate));
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0").handler(move |_| {
        // The first connection holds the port up, so that the others stay in the backlog.
        if let Some((entered, gate)) = first.take() {
            entered.send(()).unwrap();
            gate.recv().unwrap();
        }
        Client { on_line: Box::new(|| ()) }
    });
    let (running, address) = start(pool);
    let _first = connect(address);
    inside.recv().unwrap();
    let streams: Vec<_> = (0..300).map(|_| connect(address)).collect();
    for mut stream in &streams {
        stream.write_all(b"hello\n").unwrap();
    }
    let drained = thread::spawn(move || running.drain().unwrap());
    release.send(()).unwrap();
    for mut stream in &streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "5\n");
    }
    let stats = drained.join().unwrap();
    assert_eq!((stats.accepted, stats.drained, stats.open), (301, 301, 0));
}

#[test]
fn x19_a_drain_answers_the_first_request_of_a_peer_that_has_just_connected() {
    let pool = Pool::builder::<Lengths>("lengths")
        .listen("127.0.0.1:0")
        .drain_grace(Duration::from_secs(20));
    let (running, address) = start(pool.handler(|_| Client { on_line: Box::new(|| ()) }));
    let (mut known, mut new) = (connect(address), connect(address));
    ask(&known, "abc\n", "3\n");
    let drained = thread::spawn(move || running.drain().unwrap());
    // Its end shows that the drain has begun.
    assert_eq!(known.read(&mut [0]).unwrap(), 0);
    ask(&new, "hello\n", "5\n");
    assert_eq!(new.read(&mut [0]).unwrap(), 0, "it is closed at the next rest");
    let stats = drained.join().unwrap();
    assert_eq!((stats.accepted, stats.drained, stats.open), (2, 2, 0));
}

#[test]
fn x11_a_drain_waits_for_an_incomplete_request_up_to_its_deadline() {
    let pool = Pool::builder::<Lengths>("lengths")
        .listen("127.0.0.1:0")
        .drain_within(Duration::from_secs(1));
    let (running, address) = start(pool.handler(|_| Client { on_line: Box::new(|| ()) }));
    let (mut slow, mut stuck) = (connect(address), connect(address));
    for stream in [&slow, &stuck] {
        ask(stream, "abc\n", "3\n");
    }
    slow.write_all(b"hel").unwrap();
    stuck.write_all(b"never").unwrap();
    // The answer to a third connection shows that both parts have arrived.
    ask(&connect(address), "x\n", "1\n");
    let drained = thread::spawn(move || running.drain().unwrap());
    slow.write_all(b"lo\n").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "5\n");
    let stats = drained.join().unwrap();
    assert_eq!((stats.open, stats.closed), (0, 1));
}

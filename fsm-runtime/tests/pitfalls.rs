//! The traps of readiness, sockets and clocks that have bitten other projects, each by its number
//! in `docs/rules.md`, with the rules of a pool beside them. Traps that need no pool are tested beside
//! the code. Trap 16, no free descriptor, needs a process of its own: its tests are in
//! `tests/tests/kv_hostile.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;
use fsm_runtime::{Address, Running};

/// Answers each line with its length.
#[state_machine(start = Line, eof => Last, limit => Gone)]
enum Lengths {
    #[read(until = b"\n", max = 1MiB, idle = 30s => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    /// The client has said all, and still gets an answer.
    #[run]
    #[to(Leaving)]
    Last,
    #[flush(within = 5s => Gone)]
    #[to(Gone)]
    Leaving,
    #[end]
    Gone,
}

/// What happens on the way, for tests that wait for it.
struct Client {
    on_line: Box<dyn FnMut() + Send>,
}

impl lengths::Handler for Client {
    fn line(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> lengths::AfterLine {
        (self.on_line)();
        assert!(bytes != b"panic", "as asked");
        writeln!(cx, "{}", bytes.len());
        lengths::AfterLine::Line
    }

    fn last(&mut self, cx: &mut Cx<'_>) -> lengths::AfterLast {
        cx.write(b"last\n");
        lengths::AfterLast::Leaving
    }
}

fn start(pool: Pool) -> (Running, SocketAddr) {
    let running = pool.start().unwrap();
    let Address::Tcp(address) = running.addresses()[0] else { unreachable!() };
    (running, address)
}

fn serve() -> (Running, SocketAddr) {
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0");
    start(pool.handler(|_| Client { on_line: Box::new(|| ()) }))
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn ask(mut stream: &TcpStream, line: &str, answer: &str) {
    stream.write_all(line.as_bytes()).unwrap();
    let mut got = vec![0; answer.len()];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(String::from_utf8_lossy(&got), answer);
}

#[test]
fn pitfall_1_and_2_a_burst_larger_than_a_turn_is_answered_whole() {
    let (_running, address) = serve();
    let stream = connect(address);
    let lines = 300_000;
    let writer = stream.try_clone().unwrap();
    // One burst of megabytes: more than a turn's bytes, calls and output.
    let sent = thread::spawn(move || (&writer).write_all("ab\n".repeat(lines).as_bytes()).unwrap());
    let mut answers = vec![0; 2 * lines];
    (&stream).read_exact(&mut answers).unwrap();
    assert!(answers == "2\n".repeat(lines).into_bytes());
    sent.join().unwrap();
}

#[test]
fn pitfall_3_clients_that_come_together_are_all_accepted() {
    let (release, gate) = mpsc::channel::<()>();
    let mut gate = Some(gate);
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0").handler(move |_| {
        // The first connection keeps the port busy until all the others are waiting.
        if let Some(gate) = gate.take() {
            gate.recv().unwrap();
        }
        Client { on_line: Box::new(|| ()) }
    });
    let (_running, address) = start(pool);
    let streams: Vec<_> = (0..500).map(|_| connect(address)).collect();
    release.send(()).unwrap();
    for stream in &streams {
        ask(stream, "abc\n", "3\n");
    }
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
fn pitfall_5_an_end_that_comes_with_the_last_bytes_is_seen() {
    // The end of the stream arrives in the same event as the bytes before it, and no other event
    // follows.
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
        // Closing at once, with answers unread, resets the connection.
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
    ask(&other, "still here\n", "10\n");
    drop(other);
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.open, stats.panicked), (51, 0, 0));
}

#[test]
fn pitfall_20_the_backlog_is_ours() {
    let (release, gate) = mpsc::channel::<()>();
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0").handler(move |_| {
        let _ = gate.recv();
        Client { on_line: Box::new(|| ()) }
    });
    let (_running, address) = start(pool);
    // The port is stuck with the first; with a backlog of 128 the last of these would time out.
    let streams: Vec<_> = (0..600)
        .map(|n| {
            TcpStream::connect_timeout(&address, Duration::from_secs(1))
                .unwrap_or_else(|error| panic!("connection {n}: {error}"))
        })
        .collect();
    drop(release);
    for stream in &streams {
        ask(stream, "ab\n", "2\n");
    }
}

#[test]
fn pitfall_22_a_pool_with_open_connections_is_dropped_cleanly() {
    let (running, address) = serve();
    let stream = connect(address);
    ask(&stream, "abc\n", "3\n");
    drop(running);
    // It is closed in the middle of something or at rest; either way there is an end.
    match (&stream).read(&mut [0; 8]) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn x8_a_panic_ends_its_connection_and_nobody_else_notices() {
    let (running, address) = serve();
    let (other, mut bad) = (connect(address), connect(address));
    ask(&other, "abc\n", "3\n");
    bad.write_all(b"panic\n").unwrap();
    assert_eq!(bad.read(&mut [0; 8]).unwrap_or(0), 0);
    ask(&other, "abcd\n", "4\n");
    assert_eq!(running.stats().panicked, 1);
    drop(other);
    assert_eq!(running.drain().unwrap().open, 0);
}

#[test]
fn x8_whatever_of_the_users_code_panics_ends_one_connection() {
    /// Panics when it is dropped, and with something that panics when it is dropped.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(thread::panicking(), "the bomb goes off");
        }
    }

    let mut count = 0;
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0").handler(move |_| {
        count += 1;
        assert!(count != 2, "the second one gets no handler");
        let bomb = Bomb;
        let on_line: Box<dyn FnMut() + Send> = match count {
            3 => Box::new(move || {
                let _bomb = &bomb;
            }),
            4 => Box::new(|| std::panic::panic_any(Bomb)),
            _ => {
                std::mem::forget(bomb);
                Box::new(|| ())
            }
        };
        Client { on_line }
    });
    let (running, address) = start(pool);
    let first = connect(address);
    ask(&first, "abc\n", "3\n");
    for _ in 0..3 {
        let mut bad = connect(address);
        let _ = bad.write_all(b"x\n");
        let _ = bad.shutdown(Shutdown::Write);
        let _ = bad.read_to_end(&mut Vec::new());
    }
    ask(&first, "abcd\n", "4\n");
    drop(first);
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.open, stats.panicked), (4, 0, 2));
}

#[test]
fn x6_what_has_come_in_time_is_taken_before_the_deadline_that_passed_meanwhile() {
    let (entered, inside) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let mut gate = Some(gate);
    let pool = Pool::builder::<Hasty>("hasty").listen("127.0.0.1:0").handler(move |_| {
        let (entered, gate) = (entered.clone(), gate.take());
        Hurry {
            on_word: Box::new(move || {
                // Only the first connection holds the port up.
                if let Some(gate) = &gate {
                    entered.send(()).unwrap();
                    gate.recv().unwrap();
                }
            }),
        }
    });
    let (_running, address) = start(pool);
    let (busy, quick, silent) = (connect(address), connect(address), connect(address));
    (&quick).write_all(b"hi").unwrap();
    (&quick).read_exact(&mut [0; 2]).unwrap();
    (&busy).write_all(b"on").unwrap();
    inside.recv().unwrap();
    (&quick).write_all(b"ok").unwrap();
    // The port is held up until all deadlines have passed.
    thread::sleep(Duration::from_millis(1_200));
    release.send(()).unwrap();
    let mut answer = [0; 2];
    (&quick).read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"ok");
    assert_eq!((&silent).read(&mut answer).unwrap(), 0);
}

/// Wants two bytes every second.
#[state_machine(start = Word, eof => Gone)]
enum Hasty {
    #[read(exact = 2, idle = 1s => Gone)]
    #[to(Word)]
    #[rest]
    Word,
    #[end]
    Gone,
}

struct Hurry {
    on_word: Box<dyn FnMut() + Send>,
}

impl hasty::Handler for Hurry {
    fn word(&mut self, bytes: &[u8; 2], cx: &mut Cx<'_>) -> hasty::AfterWord {
        (self.on_word)();
        cx.write(bytes);
        hasty::AfterWord::Word
    }
}

#[test]
fn x9_at_the_limit_clients_wait_and_are_served_when_there_is_room() {
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0").max_connections(32);
    let (running, address) = start(pool.handler(|_| Client { on_line: Box::new(|| ()) }));
    let mut served: Vec<_> = (0..32).map(|_| connect(address)).collect();
    for stream in &served {
        ask(stream, "abc\n", "3\n");
    }
    let waiting: Vec<_> = (0..20).map(|_| connect(address)).collect();
    for mut stream in &waiting {
        stream.write_all(b"hello\n").unwrap();
    }
    ask(&served[0], "abc\n", "3\n");
    assert_eq!(running.stats().open, 32);
    // Two must go before the listener goes on: a sixteenth of the limit. So one more goes than there is
    // need for: if only the last one were to go when the limit is reached again, its place would stay free.
    served.truncate(11);
    for mut stream in &waiting {
        let mut answer = [0; 2];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"5\n");
    }
    assert_eq!(running.stats().accepted, 52);
}

#[test]
fn x11_a_drain_answers_what_has_arrived_and_ends_by_itself() {
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
fn x11_a_drain_waits_for_half_a_request_and_no_longer_than_it_may() {
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
    // Both halves must have arrived: a third connection's answer comes after them.
    ask(&connect(address), "x\n", "1\n");
    let drained = thread::spawn(move || running.drain().unwrap());
    slow.write_all(b"lo\n").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "5\n");
    let stats = drained.join().unwrap();
    assert_eq!((stats.open, stats.closed), (0, 1));
}

#[test]
#[cfg(unix)]
fn a_unix_sockets_file_is_ours_while_we_listen() {
    use std::os::unix::net::{UnixListener, UnixStream};

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lengths.sock");
    let pool = || {
        Pool::builder::<Lengths>("lengths")
            .listen(format!("unix:{}", path.display()))
            .handler(|_| Client { on_line: Box::new(|| ()) })
            .start()
    };
    // The file of a process that is gone is replaced.
    drop(UnixListener::bind(&path).unwrap());
    let running = pool().unwrap();
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"abc\n").unwrap();
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"3\n");
    // That of one that listens is not.
    assert!(matches!(pool(), Err(PoolError::InUse(Address::Unix(_)))));
    drop(stream);
    running.drain().unwrap();
    assert!(!path.exists());
    // Nor what is no socket at all.
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(pool(), Err(PoolError::Occupied(Address::Unix(_)))));
    std::fs::remove_file(&path).unwrap();
    // And the file of another listener that has taken our place stays.
    let running = pool().unwrap();
    std::fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    running.drain().unwrap();
    assert!(path.exists());
}

#[test]
fn a_start_that_fails_says_why() {
    let start = |address: &str| {
        let pool = Pool::builder::<Lengths>("lengths").listen(address);
        pool.handler(|_| Client { on_line: Box::new(|| ()) }).start().unwrap_err()
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = start(&address.to_string());
    assert!(matches!(error, PoolError::InUse(_)));
    assert!(error.to_string().contains("another process does"), "{error}");
    assert!(matches!(start("nonsense"), PoolError::Address { .. }));
    assert!(matches!(start("127.0.0.1:99999"), PoolError::Address { .. }));
    assert!(matches!(start("unix:"), PoolError::Address { .. }));
    assert!(matches!(start("192.0.2.1:7070"), PoolError::NotHere(_)));
    assert!(matches!(start("unix:/no/such/directory/socket"), PoolError::Io { .. }));
}

#[test]
fn pitfall_4_events_that_mean_nothing_do_nothing() {
    let mut peer = Session::<Lengths, _>::new(Client { on_line: Box::new(|| ()) });
    for _ in 0..3 {
        peer.send(b"");
        peer.advance(Duration::ZERO);
    }
    assert_eq!((peer.state(), peer.receive()), (Some("Line"), Vec::new()));
}

#[test]
fn pitfall_23_ages_pass_and_nothing_wraps() {
    let mut peer = Session::<Lengths, _>::new(Client { on_line: Box::new(|| ()) });
    for _ in 0..3 {
        peer.send(b"abc\n");
        assert_eq!(peer.receive(), b"3\n");
        peer.advance(Duration::from_secs(29));
    }
    peer.advance(Duration::from_secs(100 * 365 * 86_400));
    assert_eq!(peer.ended(), Some(Ended::Done));
}

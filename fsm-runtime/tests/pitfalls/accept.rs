//! Listeners, their limits and their errors.

use super::*;

#[test]
fn pitfall_3_clients_that_connect_together_are_all_accepted() {
    let (release, gate) = mpsc::channel::<()>();
    let mut gate = Some(gate);
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0").handler(move |_| {
        // The first connection keeps the port busy until all others wait.
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
fn pitfall_20_the_pool_sets_the_backlog() {
    let (release, gate) = mpsc::channel::<()>();
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0").handler(move |_| {
        let _ = gate.recv();
        Client { on_line: Box::new(|| ()) }
    });
    let (_running, address) = start(pool);
    // The first connection holds the port up; with a backlog of 128 the last connects would time
    // out.
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
    // The listener resumes only when two connections have ended, a sixteenth of the limit. So one
    // more ends than is needed, because the last free place stays free if only one ends after the
    // limit is reached again.
    served.truncate(11);
    for mut stream in &waiting {
        let mut answer = [0; 2];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"5\n");
    }
    assert_eq!(running.stats().accepted, 52);
}

#[test]
fn x18_at_the_limit_newcomers_are_told_and_closed() {
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0").max_connections(2);
    let pool = pool.turn_away("421 full\n").handler(|_| Client { on_line: Box::new(|| ()) });
    let (running, address) = start(pool);
    let mut served = vec![connect(address), connect(address)];
    for stream in &served {
        ask(stream, "abc\n", "3\n");
    }
    // More than sockets are kept, and each has sent something that nobody reads.
    for _ in 0..100 {
        let mut stream = connect(address);
        stream.write_all(b"hello\n").unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).unwrap();
        assert_eq!(told, "421 full\n");
    }
    ask(&served[0], "abcd\n", "4\n");
    let stats = running.stats();
    assert_eq!((stats.turned_away, stats.accepted, stats.open), (100, 2, 2));
    // The place of one that has left is free for the next.
    served.pop();
    while running.stats().open == 2 {
        thread::yield_now();
    }
    ask(&connect(address), "hello\n", "5\n");
    running.drain().unwrap();
}

#[test]
fn x18_a_farewell_is_bounded() {
    let pool = Pool::builder::<Lengths>("lengths").listen("127.0.0.1:0").turn_away([b'x'; 4097]);
    let started = pool.handler(|_| Client { on_line: Box::new(|| ()) }).start();
    assert!(matches!(started, Err(PoolError::Setting { .. })), "{started:?}");
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
    // The file of a dead process is replaced.
    drop(UnixListener::bind(&path).unwrap());
    let running = pool().unwrap();
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"abc\n").unwrap();
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"3\n");
    // The file of a process that listens is kept.
    assert!(matches!(pool(), Err(PoolError::InUse(Address::Unix(_)))));
    drop(stream);
    running.drain().unwrap();
    assert!(!path.exists());
    // A file that is no socket is kept.
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(pool(), Err(PoolError::Occupied(Address::Unix(_)))));
    std::fs::remove_file(&path).unwrap();
    // The file of another listener that replaced ours is kept at the end.
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

//! Listeners that are handed in.

use std::net::TcpListener;

use super::*;

fn answer(mut connection: impl Read + Write) -> String {
    connection.write_all(b"hello\n").unwrap();
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line).unwrap();
    line
}

#[test]
fn a_listener_is_handed_in_with_those_who_wait_and_outlives_the_pool() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let early = TcpStream::connect(address).unwrap();
    let copy = listener.try_clone().unwrap();
    let pool = Pool::builder("handed-in").listener(listener).listen("127.0.0.1:0");
    let running = start(pool, |line, _| line.to_owned());
    assert_eq!(running.addresses()[0], Address::Tcp(address));
    assert_eq!(running.addresses().len(), 2);
    assert_eq!(answer(early), "hello\n");
    assert_eq!(answer(TcpStream::connect(address).unwrap()), "hello\n");
    running.drain().unwrap();
    // A client that comes now waits for the next pool.
    let late = TcpStream::connect(address).unwrap();
    let running = start(Pool::builder("next").listener(copy), |line, _| format!("next {line}"));
    assert_eq!(answer(late), "next hello\n");
    drop(running);
}

#[cfg(unix)]
#[test]
fn the_file_of_a_listener_that_was_handed_in_stays() {
    use std::os::unix::net::{UnixListener, UnixStream};

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let running = start(Pool::builder("unix").listener(listener), |line, _| line.to_owned());
    assert_eq!(running.addresses(), [Address::Unix(path.clone())]);
    assert_eq!(answer(UnixStream::connect(&path).unwrap()), "hello\n");
    running.drain().unwrap();
    assert!(path.exists());
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[test]
fn a_socket_that_does_not_listen_is_refused() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let pool = Pool::builder::<Lines>("deaf").listener(TcpListener::from(socket));
    let refused = pool.handler(|_| Client(Arc::new(|_, _| String::new()))).start().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot use a listener that was handed in: the socket does not listen; call `listen` on it before"
    );
}

/// Only the shards of one TCP address have a listener each.
#[cfg(unix)]
#[test]
fn x10_connections_of_a_single_listener_are_spread_also_beside_shared_ones() {
    use std::os::unix::net::UnixStream;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let handed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = handed.local_addr().unwrap();
    let pool = pool("spread").listener(handed).listen(format!("unix:{}", path.display()));
    let running = start(pool.shards(2).reuse_port(), |_, _| thread_name());
    let ask = |mut stream: Box<dyn ReadWrite>| {
        stream.write_all(b"who\n").unwrap();
        let mut line = [0; 80];
        let len = stream.read(&mut line).unwrap();
        (String::from_utf8_lossy(&line[..len]).into_owned(), stream)
    };
    // Those that stay open make each next one go to the other shard.
    let tcp: Vec<_> = (0..4).map(|_| ask(Box::new(TcpStream::connect(address).unwrap()))).collect();
    let unix: Vec<_> = (0..4).map(|_| ask(Box::new(UnixStream::connect(&path).unwrap()))).collect();
    for open in [tcp, unix] {
        assert_ne!(open[0].0, open[1].0);
        assert_eq!((&open[0].0, &open[1].0), (&open[2].0, &open[3].0));
    }
    drop(running);
}

#[cfg(unix)]
trait ReadWrite: Read + Write {}

#[cfg(unix)]
impl<T: Read + Write> ReadWrite for T {}

/// Sockets that a service manager passes are tested with `kv`, because it is passed to a process at its start.
#[test]
fn x15_sockets_that_were_passed_have_a_name_or_a_number() {
    for text in ["fd:front", "fd:3", "fd:kv.socket"] {
        let parsed = Address::parse(text);
        if cfg!(target_os = "linux") {
            assert_eq!(parsed.unwrap().to_string(), text);
        } else {
            let why = parsed.unwrap_err().to_string();
            assert!(why.contains("only on Linux a service manager passes sockets"), "{why}");
        }
    }
    for text in ["fd:", "fd:0", "fd:2", "fd:a:b", "fd:a\n"] {
        assert!(matches!(Address::parse(text), Err(PoolError::Address { .. })), "{text}");
    }
    // Nothing was passed to this test.
    let pool = Pool::builder::<Lines>("passed").listen("fd:front");
    let error = pool.handler(|_| Client(Arc::new(|_, _| String::new()))).start().unwrap_err();
    assert!(error.to_string().starts_with("cannot listen on `fd:front`: "), "{error}");
}

use super::*;
use fsm_runtime::{Builder, Running};

fn forwarder(target: &str) -> Builder<Forward> {
    Pool::builder::<Forward>("forward")
        .listen("127.0.0.1:0")
        .settings(Route(target.parse().unwrap()))
}

fn start(target: &str) -> (Running, SocketAddr) {
    let running = forwarder(target).handler(|_| Door).start().unwrap();
    let address = running.addresses()[0].to_string().parse().unwrap();
    (running, address)
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

pub(crate) fn bytes(len: usize, seed: u8) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 251).unwrap() ^ seed).collect()
}

/// A server that answers all that it reads with as many other bytes, and ends when its client does.
fn answering() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut all = Vec::new();
                stream.read_to_end(&mut all).unwrap();
                for byte in &mut all {
                    *byte ^= 0xFF;
                }
                stream.write_all(&all).unwrap();
            });
        }
    });
    address
}

#[test]
fn s1_megabytes_and_half_closes_pass_on_real_sockets() {
    let (running, address) = start(&answering().to_string());
    thread::scope(|scope| {
        for client in 0..4 {
            scope.spawn(move || {
                let mut stream = connect(address);
                let sent = bytes(3_000_000, client);
                stream.write_all(&sent).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
                let mut got = Vec::new();
                stream.read_to_end(&mut got).unwrap();
                assert!(got.iter().zip(&sent).all(|(got, sent)| *got == sent ^ 0xFF));
                assert_eq!(got.len(), sent.len());
            });
        }
    });
    let stats = running.drain().unwrap();
    assert_eq!((stats.accepted, stats.done), (4, 4));
}

#[test]
fn s3_names_and_refusals_on_real_sockets() {
    let server = answering();
    let (running, address) = start(&format!("localhost:{}", server.port()));
    let mut stream = connect(address);
    stream.write_all(b"by name").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut got = Vec::new();
    stream.read_to_end(&mut got).unwrap();
    assert_eq!(got.len(), 7);
    running.drain().unwrap();

    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for target in [unused.to_string(), "no.such.host.invalid:80".to_owned()] {
        let (running, address) = start(&target);
        let mut got = String::new();
        connect(address).read_to_string(&mut got).unwrap();
        assert_eq!(got, "refused", "{target}");
        running.drain().unwrap();
    }
}

#[test]
fn s1_a_reset_of_the_target_is_a_reset_for_the_client() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (running, address) = start(&listener.local_addr().unwrap().to_string());
    let mut client = connect(address);
    let (server, _) = listener.accept().unwrap();
    client.write_all(b"x").unwrap();
    (&server).read_exact(&mut [0]).unwrap();
    socket2::SockRef::from(&server).set_linger(Some(Duration::ZERO)).unwrap();
    drop(server);
    let error = client.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    running.drain().unwrap();
}

#[test]
fn s1_a_reader_that_stops_holds_up_its_sender_and_nobody_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (running, address) = start(&listener.local_addr().unwrap().to_string());
    let client = connect(address);
    let (server, _) = listener.accept().unwrap();
    // Sends until nothing has moved for a while.
    client.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let piece = vec![1; 64 * 1024];
    let mut sent = 0;
    while let Ok(bytes) = (&client).write(&piece) {
        sent += bytes;
    }
    // Others go on.
    let mut other = connect(address);
    let (mut end, _) = listener.accept().unwrap();
    other.write_all(b"ping").unwrap();
    end.read_exact(&mut [0; 4]).unwrap();
    // Now all of it comes.
    client.shutdown(Shutdown::Write).unwrap();
    let mut got = Vec::new();
    (&server).read_to_end(&mut got).unwrap();
    assert_eq!(got.len(), sent);
    drop((server, client, other, end));
    running.drain().unwrap();
}

/// IPv6 that goes nowhere beside IPv4 that works would need a name of both; the attempts themselves are
/// tested beside `Dial`.
#[test]
fn s3_thousands_of_tunnels_at_once() {
    const TUNNELS: usize = 300;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (running, address) = start(&listener.local_addr().unwrap().to_string());
    let begun = Instant::now();
    let mut pairs = Vec::new();
    for _ in 0..TUNNELS {
        let client = connect(address);
        let (server, _) = listener.accept().unwrap();
        pairs.push((client, server));
    }
    for (number, (client, server)) in pairs.iter_mut().enumerate() {
        client.write_all(&number.to_le_bytes()).unwrap();
        let mut got = [0; 8];
        server.read_exact(&mut got).unwrap();
        server.write_all(&got).unwrap();
    }
    for (number, (client, _)) in pairs.iter_mut().enumerate() {
        let mut got = [0; 8];
        client.read_exact(&mut got).unwrap();
        assert_eq!(usize::from_le_bytes(got), number);
    }
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(running.stats().open, u64::try_from(TUNNELS).unwrap());
    drop(pairs);
    running.drain().unwrap();
}

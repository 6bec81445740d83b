use super::*;

/// Reads the first line in the clear, and hands the connection to a pool that goes on encrypted.
#[state_machine(start = Ask, eof => Gone, limit => Gone)]
enum Plainly {
    #[read(until = b"\n", max = 64, within = 20s => Gone)]
    #[to(Go)]
    Ask,
    #[handoff(Lines, gone => Gone, within = 20s => Gone)]
    Go,
    #[end]
    Gone,
}

struct Door;

impl plainly::Handler for Door {
    fn ask(&mut self, _: &[u8], cx: &mut Cx<'_>) -> plainly::AfterAsk {
        cx.write(b"go ahead\n");
        plainly::AfterAsk::Go { seed: () }
    }
}

/// Greets, encrypted, and hands the connection on.
#[state_machine(start = Hello, eof => Gone, limit => Gone)]
enum Greets {
    #[run]
    #[to(Line)]
    Hello,
    #[read(until = b"\n", max = 64, within = 20s => Gone)]
    #[to(Go)]
    Line,
    #[handoff(Lines, gone => Gone, within = 20s => Gone)]
    Go,
    #[end]
    Gone,
}

impl greets::Handler for Door {
    fn hello(&mut self, cx: &mut Cx<'_>) -> greets::AfterHello {
        cx.write(b"welcome\n");
        greets::AfterHello::Line
    }

    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> greets::AfterLine {
        cx.write(line);
        cx.write(b"?\n");
        greets::AfterLine::Go { seed: () }
    }
}

#[test]
fn e2_what_comes_before_tls_is_plain_and_what_comes_with_it_is_ciphertext() {
    let authority = Authority::new();
    let lines = Pool::builder::<Lines>("lines").tls(server_config(&authority, "localhost"));
    let running = Pipeline::new()
        .pool(Pool::builder::<Plainly>("plainly").listen("127.0.0.1:0").handler(|_peer| Door))
        .pool(lines.handler(|_peer| Client))
        .start()
        .unwrap();
    let address: SocketAddr = running.addresses()[0].to_string().parse().unwrap();
    let config = Arc::new(client_config(&authority));
    let mut session =
        ClientConnection::new(Arc::clone(&config), "localhost".try_into().unwrap()).unwrap();
    // The first line and the first message of TLS leave in one segment.
    let mut first = b"please\n".to_vec();
    session.write_tls(&mut first).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(&first).unwrap();
    let mut answer = [0; 9];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"go ahead\n");
    let mut peer = BufReader::new(StreamOwned::new(session, stream));
    assert_eq!(ask(&mut peer, "hello"), "hello!");

    // A command that is smuggled in before the handshake is no TLS.
    let session = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"please\nsmuggled\n").unwrap();
    stream.read_exact(&mut answer).unwrap();
    let mut peer = StreamOwned::new(session, stream);
    assert!(peer.write_all(b"hello\n").is_err());
    until(|| running.stats().tls_failures == 1);
}

#[test]
fn e1_output_before_the_handshake_waits_for_it_and_tls_moves_along() {
    let authority = Authority::new();
    let config = TlsServer::new(server_config(&authority, "localhost"));
    let greets = Pool::builder::<Greets>("greets").tls(config.clone());
    let lines = Pool::builder::<Lines>("lines").tls(config);
    let running = Pipeline::new()
        .pool(greets.listen("127.0.0.1:0").handler(|_peer| Door))
        .pool(lines.handler(|_peer| Client))
        .start()
        .unwrap();
    let address = running.addresses()[0].to_string().parse().unwrap();
    let mut peer = connect(address, client_config(&authority).into());
    peer.get_mut().flush().unwrap();
    let mut welcome = String::new();
    peer.read_line(&mut welcome).unwrap();
    assert_eq!(welcome, "welcome\n");
    assert_eq!(ask(&mut peer, "first\nsecond"), "first?");
    let mut second = String::new();
    peer.read_line(&mut second).unwrap();
    assert_eq!(second, "second!\n");
    assert_eq!(ask(&mut peer, "who"), "localhost  0 false TLSv1_3");
}

#[test]
fn e1_an_encrypted_connection_does_not_move_to_a_pool_that_cannot_decrypt_it() {
    let authority = Authority::new();
    let greets = Pool::builder::<Greets>("greets").tls(server_config(&authority, "localhost"));
    let error = Pipeline::new()
        .pool(greets.listen("127.0.0.1:0").handler(|_peer| Door))
        .pool(Pool::builder::<Lines>("lines").handler(|_peer| Client))
        .start()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "state `Go` of the pool `greets` hands encrypted connections over to the pool `lines`, which cannot \
         decrypt them; give that one `tls(..)`, too"
    );
}

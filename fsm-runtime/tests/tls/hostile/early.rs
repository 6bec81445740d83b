//! Clients that send text before the handshake is over (0-RTT).

use rustls::server::ServerSessionMemoryCache;

use super::*;

#[test]
fn e13_early_data_is_not_taken_and_comes_again_behind_the_handshake() {
    let authority = Authority::new();
    let mut config = server_config(&authority, "localhost");
    config.session_storage = ServerSessionMemoryCache::new(16);
    config.max_early_data_size = 16 * 1024;
    let mut client = client_config(&authority);
    client.enable_early_data = true;
    let client = Arc::new(client);

    // A server that would take it gives the client its tickets.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taking = config.clone();
    let giver = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let session = ServerConnection::new(taking.into()).unwrap();
        let mut peer = BufReader::new(StreamOwned::new(session, stream));
        let mut line = String::new();
        peer.read_line(&mut line).unwrap();
        peer.get_mut().write_all(line.as_bytes()).unwrap();
        peer.get_mut().flush().unwrap();
    });
    assert_eq!(ask(&mut connect(address, Arc::clone(&client)), "hello"), "hello");
    giver.join().unwrap();

    let running = Pool::builder::<Lines>("lines")
        .tls(config)
        .listen("127.0.0.1:0")
        .handler(|_peer| Client)
        .start()
        .unwrap();
    let address = running.addresses()[0].to_string().parse().unwrap();
    let mut peer = connect(address, client);
    let session = &mut peer.get_mut().conn;
    session.early_data().expect("it has a ticket for that").write_all(b"early\n").unwrap();
    assert_eq!(ask(&mut peer, "who"), "localhost  0 true TLSv1_3");
    assert!(!peer.get_ref().conn.is_early_data_accepted());
    assert_eq!(ask(&mut peer, "hello"), "hello!");
}

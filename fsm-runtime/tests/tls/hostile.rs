//! Peers that keep a handshake or a record to themselves.

use super::*;

mod early;
mod flood;
mod large;
mod raw;
mod slow;

/// The first message of a client, without its record.
fn hello(authority: &Authority) -> (ClientConnection, Vec<u8>) {
    let config = Arc::new(client_config(authority));
    let mut session = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
    let mut hello = Vec::new();
    session.write_tls(&mut hello).unwrap();
    (session, hello.split_off(5))
}

/// A handshake record.
fn record(fragment: &[u8]) -> Vec<u8> {
    let len = u16::try_from(fragment.len()).unwrap().to_be_bytes();
    [&[22, 3, 1][..], &len, fragment].concat()
}

#[test]
fn x4_a_part_of_a_handshake_message_waits_and_keeps_nobody_busy() {
    let server = Server::start();
    let (_, message) = hello(&server.authority);
    let mut half: Vec<TcpStream> =
        (0..4).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    for stream in &mut half {
        stream.write_all(&record(&message[..50])).unwrap();
    }
    server.until(|stats| stats.open == 4);
    // Others are served meanwhile.
    assert_eq!(ask(&mut server.connect(), "hello"), "hello!");
    drop(half);
    server.until(|stats| stats.open == 0);
    assert_eq!(server.running.stats().done, 1);
    assert_eq!(server.running.stats().truncated, 4);
}

#[test]
fn e1_a_handshake_message_in_many_records_and_segments_is_whole_in_the_end() {
    let server = Server::start();
    for step in [7, 50, 200] {
        let (session, message) = hello(&server.authority);
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        for fragment in message.chunks(step) {
            stream.write_all(&record(fragment)).unwrap();
            // Each comes in an event of its own, or nearly so.
            thread::yield_now();
        }
        let mut peer = BufReader::new(StreamOwned::new(session, stream));
        assert_eq!(ask(&mut peer, "hello"), "hello!", "{step}");
    }
}

#[test]
fn pitfall_24_a_handshake_message_in_tiny_records_is_bounded() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    // A ClientHello of 60,000 bytes, as it says.
    let mut message = vec![1, 0, 0xEA, 0x60];
    message.resize(60_004, 0);
    let records: Vec<u8> = message.iter().flat_map(|byte| record(&[*byte])).collect();
    // The server may end the connection before all has left.
    let _ = stream.write_all(&records);
    server.until(|stats| stats.tls_failures == 1);
    assert_eq!(ask(&mut server.connect(), "hello"), "hello!");
}

#[test]
fn e3_an_end_in_the_handshake_is_no_end_of_a_stream() {
    let server = Server::start();
    let (_, message) = hello(&server.authority);
    let whole = record(&message);
    for cut in [0, 3, 100, whole.len()] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(&whole[..cut]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        io::copy(&mut stream, &mut io::sink()).unwrap();
    }
    server.until(|stats| stats.truncated == 4);
}

#[test]
fn e3_the_end_is_told_also_when_the_machine_ends_without_a_word() {
    let authority = Authority::new();
    let running = Pool::builder::<Brief>("brief")
        .tls(server_config(&authority, "localhost"))
        .listen("127.0.0.1:0")
        .handler(|_peer| Client)
        .start()
        .unwrap();
    let address = running.addresses()[0].to_string().parse().unwrap();
    let mut peer = connect(address, client_config(&authority).into());
    assert_eq!(ask(&mut peer, "hello"), "hello");
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).expect("`close_notify` comes");
    assert!(rest.is_empty());
}

/// Ends the connection of a client that says nothing for a moment.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Brief {
    #[read(until = b"\n", max = 64, idle = 200ms => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

impl brief::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> brief::AfterLine {
        cx.write(line);
        cx.write(b"\n");
        brief::AfterLine::Line
    }
}

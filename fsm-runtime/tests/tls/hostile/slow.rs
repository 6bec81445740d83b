//! Peers that take their time.

use super::*;

/// Waits for a line without an end.
#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Patient {
    #[read(until = b"\n", max = 64, within = never)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

impl patient::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> patient::AfterLine {
        cx.write(line);
        cx.write(b"\n");
        patient::AfterLine::Line
    }
}

/// A pool of `Patient` whose peers must have made their handshake in this time.
fn patient(authority: &Authority, time: Duration) -> (Running, SocketAddr) {
    let running = Pool::builder::<Patient>("patient")
        .tls(server_config(authority, "localhost"))
        .send_timeout(time)
        .listen("127.0.0.1:0")
        .handler(|_peer| Client)
        .start()
        .unwrap();
    let address = running.addresses()[0].to_string().parse().unwrap();
    (running, address)
}

/// Sends the bytes one by one, and returns how many it could send.
fn drip(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    stream.set_nodelay(true).unwrap();
    let mut sent = 0;
    for byte in bytes {
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
        sent += 1;
        thread::sleep(Duration::from_millis(10));
    }
    sent
}

#[test]
fn e12_a_handshake_byte_by_byte_is_bounded_also_in_a_state_without_a_deadline() {
    let authority = Authority::new();
    let (running, address) = patient(&authority, Duration::from_millis(300));
    let mut other = connect(address, client_config(&authority).into());
    assert_eq!(ask(&mut other, "hello"), "hello");
    let (_, message) = hello(&authority);
    let mut slow = TcpStream::connect(address).unwrap();
    let mut silent = TcpStream::connect(address).unwrap();
    let begun = Instant::now();
    let bytes = record(&message);
    let sent = drip(&mut slow, &bytes);
    assert!(sent < bytes.len(), "{sent}");
    assert!(begun.elapsed() >= Duration::from_millis(300));
    until(|| running.stats().tls_failures == 2);
    let mut rest = Vec::new();
    let _ = silent.read_to_end(&mut rest);
    // A connection whose handshake is over may be silent for longer.
    assert_eq!(ask(&mut other, "hello"), "hello");
    assert_eq!(running.stats().open, 1);
}

#[test]
fn e1_bytes_of_a_record_that_does_not_end_are_no_input() {
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
    // A record of 16 KiB, whose bytes do not keep the machine waiting for longer than its 200 ms.
    let begun = Instant::now();
    let bytes = [&[23, 3, 3, 0x40, 0][..], &[0; 500]].concat();
    let sent = drip(&mut peer.get_mut().sock, &bytes);
    assert!(sent < bytes.len() && begun.elapsed() < Duration::from_secs(5), "{sent}");
    until(|| running.stats().open == 0);
}

#[test]
fn l3_e11_a_peer_that_sends_text_and_key_updates_and_takes_nothing_is_reset() {
    let authority = Authority::new();
    let (running, address) = patient(&authority, Duration::from_millis(300));
    let mut peer = connect(address, client_config(&authority).into());
    assert_eq!(ask(&mut peer, "hello"), "hello");
    let StreamOwned { conn, sock } = peer.get_mut();
    sock.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    let text = [[b'x'; 50], [b'\n'; 50]].concat().repeat(100);
    loop {
        conn.writer().write_all(&text).unwrap();
        conn.refresh_traffic_keys().unwrap();
        let mut wrote = Ok(0);
        while conn.wants_write() && wrote.is_ok() {
            wrote = conn.write_tls(sock);
        }
        if let Err(error) = wrote {
            assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "the server has ended it");
            break;
        }
    }
    until(|| running.stats().send_timeouts == 1);
}

//! Peers that inject plaintext, and connections that are cut off.

use super::*;

#[test]
fn e2_plaintext_before_the_handshake_is_ciphertext_and_fails_it() {
    let server = MailServer::start();
    let mut peer = server.connect();
    // One segment: the command is injected between the client's STARTTLS and its handshake.
    peer.get_mut().write_all(b"STARTTLS\r\nMAIL FROM:<evil@b>\r\n").unwrap();
    assert_eq!(line(&mut peer), "220 go ahead");
    let mut peer = secure(peer, client_config(&server.authority));
    let error = peer.get_mut().write_all(b"EHLO me\r\n").and_then(|()| {
        let mut line = String::new();
        peer.read_line(&mut line).map(|_| assert_eq!(line, ""))
    });
    assert!(error.is_err());
    server.until_quiet();
    let log = server.log();
    assert_eq!(log[0], "STARTTLS");
    assert!(log[1].starts_with("failed: "), "{log:?}");
    assert_eq!(log.len(), 2, "nothing that was injected is run: {log:?}");
}

#[test]
fn e2_what_is_no_tls_fails_at_once_and_gets_an_alert() {
    let server = MailServer::start();
    let mut peer = server.connect();
    assert_eq!(say(&mut peer, "STARTTLS"), "220 go ahead");
    peer.get_mut().write_all(b"MAIL FROM:<a@b>\r\n").unwrap();
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer).unwrap();
    assert_eq!(answer[..1], [21], "an alert");
    server.until_quiet();
    assert_eq!(server.log()[1], "failed: received corrupt message of type InvalidContentType");
}

/// The whole session of a client, as bytes that it sends when it has got what it waits for.
struct Cut {
    stream: TcpStream,
    left: usize,
}

/// The client was cut off, or its server has left it.
struct Over;

impl Cut {
    /// Sends, as far as the cut lets it.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Over> {
        let allowed = bytes.len().min(self.left);
        self.stream.write_all(&bytes[..allowed]).map_err(|_| Over)?;
        self.left -= allowed;
        if allowed == bytes.len() { Ok(()) } else { Err(Over) }
    }

    fn wait_for(&mut self, text: &[u8]) -> Result<(), Over> {
        let mut got = vec![0; text.len()];
        self.stream.read_exact(&mut got).map_err(|_| Over)?;
        assert_eq!(got, text);
        Ok(())
    }

    /// Says STARTTLS and, in TLS, that it quits.
    fn session(&mut self, config: Arc<rustls::ClientConfig>) -> Result<(), Over> {
        self.wait_for(b"220 mail.test\r\n")?;
        self.send(b"EHLO me\r\n")?;
        self.wait_for(b"250-mail.test\r\n250 STARTTLS\r\n")?;
        self.send(b"STARTTLS\r\n")?;
        self.wait_for(b"220 go ahead\r\n")?;
        let mut tls = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
        tls.writer().write_all(b"MAIL FROM:<a@b>\r\nQUIT\r\n").unwrap();
        loop {
            let mut out = Vec::new();
            while tls.wants_write() {
                tls.write_tls(&mut out).unwrap();
            }
            self.send(&out)?;
            if !tls.is_handshaking() {
                out.clear();
                tls.send_close_notify();
                while tls.wants_write() {
                    tls.write_tls(&mut out).unwrap();
                }
                return self.send(&out);
            }
            if tls.read_tls(&mut self.stream).map_err(|_| Over)? == 0 {
                return Err(Over);
            }
            tls.process_new_packets().unwrap();
        }
    }
}

#[test]
fn e4_a_session_that_has_failed_processes_nothing_more() {
    let server = MailServer::start();
    let mut peer = server.connect();
    assert_eq!(say(&mut peer, "STARTTLS"), "220 go ahead");
    let config = client_config(&server.authority).into();
    let mut tls = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
    tls.writer().write_all(b"NOOP\r\n").unwrap();
    let mut stream = peer.into_inner();
    let mut out = Vec::new();
    while tls.is_handshaking() {
        tls.write_tls(&mut out).unwrap();
        stream.write_all(&out).unwrap();
        out.clear();
        tls.read_tls(&mut stream).unwrap();
        tls.process_new_packets().unwrap();
    }
    while tls.wants_write() {
        tls.write_tls(&mut out).unwrap();
    }
    // Behind the command two records that cannot be decrypted: the first fails the session.
    let garbage = [23, 3, 3, 0, 20].into_iter().chain([7; 20]);
    out.extend(garbage.clone().chain(garbage));
    stream.write_all(&out).unwrap();
    let _ = io::copy(&mut stream, &mut io::sink());
    server.until_quiet();
    let stats = server.running.stats();
    assert_eq!((stats.panicked, stats.tls_failures), (0, 1), "{stats:?}");
    assert_eq!(server.log()[2..], ["NOOP"]);
}

#[test]
fn e3_a_session_that_is_cut_off_anywhere_runs_nothing_of_what_was_cut() {
    let server = MailServer::start();
    let mut config = client_config(&server.authority);
    config.resumption = rustls::client::Resumption::disabled();
    let config = Arc::new(config);
    let plain = b"EHLO me\r\nSTARTTLS\r\n".len();
    let mut cut = 0;
    loop {
        server.log.lock().unwrap().clear();
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut client = Cut { stream, left: cut };
        let whole = client.session(Arc::clone(&config)).is_ok();
        let _ = client.stream.shutdown(Shutdown::Write);
        let _ = io::copy(&mut client.stream, &mut io::sink());
        server.until_quiet();
        let log = server.log();
        let position = |what: &str| log.iter().position(|entry| entry.starts_with(what));
        let quits = position("QUIT").is_some();
        assert!(!quits || position("secured").is_some(), "{cut}: {log:?}");
        if cut >= plain && position("secured").is_none() {
            assert_eq!(log[2], "failed: the peer ended its stream in the handshake", "{cut}");
        }
        // Both commands are in one record, so none is run without the other one.
        assert_eq!(position("MAIL").is_some(), quits, "{cut}: {log:?}");
        if whole {
            assert!(quits, "{log:?}");
            break;
        }
        cut += 1;
        assert!(cut < 5_000);
    }
    assert!(cut > 250, "the session has more bytes than {cut}");
    assert_eq!(server.running.stats().tls_failures, 0);
}

//! STARTTLS without sockets.

use super::*;

fn session() -> (Session<Mail, Sender>, Log) {
    let log = Log::default();
    let mut peer = Session::new(Sender { log: Arc::clone(&log), padding: 0 });
    assert_eq!(peer.receive(), b"220 mail.test\r\n");
    (peer, log)
}

fn last(log: &Log) -> String {
    log.lock().unwrap().last().unwrap().clone()
}

#[test]
fn e1_a_test_plays_the_handshake() {
    let (mut peer, log) = session();
    assert!(!peer.is_handshaking());
    peer.send(b"STARTTLS\r\n");
    assert_eq!(peer.receive(), b"220 go ahead\r\n");
    assert!(peer.is_handshaking());
    peer.secured();
    assert_eq!((peer.state(), last(&log)), (Some("Command"), "secured   0".to_owned()));
    peer.send(b"MAIL FROM:<a@b>\r\n");
    assert_eq!(peer.receive(), b"250 ok\r\n");
    peer.send(b"STARTTLS\r\n");
    assert_eq!(last(&log), "failed: TLS has begun on this connection before");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn e1_a_test_lets_the_handshake_fail_or_stall() {
    let (mut peer, log) = session();
    peer.send(b"STARTTLS\r\n");
    peer.fail_tls(io::ErrorKind::PermissionDenied);
    assert_eq!(last(&log), "failed: permission denied");

    let (mut peer, log) = session();
    peer.send(b"STARTTLS\r\n");
    peer.end();
    assert_eq!(last(&log), "failed: unexpected end of file");

    let (mut peer, log) = session();
    peer.send(b"STARTTLS\r\n");
    peer.advance(Duration::from_secs(1));
    assert_eq!(last(&log), "late");

    // It does not begin before the client has taken what it was told.
    let (mut peer, log) = session();
    peer.window(3);
    peer.send(b"STARTTLS\r\n");
    assert!(!peer.is_handshaking());
    peer.advance(Duration::from_secs(1));
    assert_eq!(last(&log), "late");
}

#[test]
fn e2_in_a_test_plaintext_before_the_handshake_fails_it_too() {
    for pieces in [&[&b"STARTTLS\r\nMAIL FROM:<a@b>\r\n"[..]][..], &[b"STARTTLS\r\n", b"MAIL"]] {
        let (mut peer, log) = session();
        for piece in pieces {
            peer.send(piece);
        }
        assert_eq!(last(&log), "failed: it is no TLS");
        assert_eq!(peer.receive(), b"220 go ahead\r\n");
        assert_eq!(peer.ended(), Some(Ended::Done));
    }
}

//! Peers that send without end what is no plaintext.

use rustls::ContentType;

use super::raw::Raw;
use super::*;

const HANDSHAKE: ContentType = ContentType::Handshake;
const TEXT: ContentType = ContentType::ApplicationData;
const ALERT: ContentType = ContentType::Alert;

/// Checks that the flood has ended its connection, and that another one is served.
fn is_over(server: &Server, flooding: Raw) {
    server.until(|stats| stats.tls_failures == 1 && stats.open == 0);
    flooding.until_its_end();
    assert_eq!(ask(&mut server.connect(), "hello"), "hello!");
}

#[test]
fn e11_key_updates_without_text_end_the_connection() {
    let server = Server::start();
    let mut other = server.connect();
    assert_eq!(ask(&mut other, "hello"), "hello!");
    let mut peer = server.connect();
    assert_eq!(ask(&mut peer, "hello"), "hello!");
    let StreamOwned { conn, sock } = peer.get_mut();
    for _ in 0..100 {
        conn.refresh_traffic_keys().unwrap();
        if conn.write_tls(sock).is_err() {
            break;
        }
    }
    server.until(|stats| stats.tls_failures == 1);
    assert_eq!(ask(&mut other, "hello"), "hello!");
}

#[test]
fn e11_answers_to_key_updates_do_not_pile_up() {
    const UPDATES: usize = 2000;
    let server = Server::start();
    let mut peer = server.connect();
    assert_eq!(ask(&mut peer, "hello"), "hello!");
    let StreamOwned { conn, sock } = peer.get_mut();
    conn.writer().write_all(format!("take {UPDATES}\n").as_bytes()).unwrap();
    for _ in 0..UPDATES {
        conn.writer().write_all(b"\x01").unwrap();
        conn.refresh_traffic_keys().unwrap();
        while conn.wants_write() {
            conn.write_tls(sock).unwrap();
        }
    }
    // One answer to all of them, and the line behind it.
    let mut wire = vec![0; 16 * 1024];
    let got = sock.peek(&mut wire).unwrap();
    assert!(got < 100, "{got}");
    let mut line = String::new();
    peer.read_line(&mut line).unwrap();
    assert_eq!(line, format!("{UPDATES}\n"));
    assert_eq!(ask(&mut peer, "hello"), "hello!");
}

#[test]
fn e11_empty_records_end_the_connection() {
    let server = Server::start();
    let mut peer = Raw::connect(&server);
    let _ = peer.send(TEXT, &[&b""[..]; 1000]);
    is_over(&server, peer);
}

#[test]
fn e11_x4_records_of_a_byte_take_turns_with_other_connections() {
    const BYTES: usize = 60_000;
    let server = Server::start();
    let mut other = server.connect();
    let mut peer = Raw::connect(&server);
    peer.send(TEXT, &[format!("take {BYTES}\n").as_bytes()]).unwrap();
    // An empty one before each.
    let mut records = Vec::new();
    for _ in 0..BYTES {
        records.extend(peer.seal(TEXT, b""));
        records.extend(peer.seal(TEXT, b"\x01"));
    }
    let mut stream = peer.stream.try_clone().unwrap();
    let flood = thread::spawn(move || stream.write_all(&records).unwrap());
    while !flood.is_finished() {
        assert_eq!(ask(&mut other, "hello"), "hello!");
    }
    flood.join().unwrap();
    // The machine has taken them all when it rests again, and the next line ends it.
    peer.send(TEXT, &[b"bye\n"]).unwrap();
    server.until(|stats| stats.done == 1);
}

#[test]
fn e11_alerts_that_end_nothing_end_the_connection_when_they_are_many() {
    const WARNING: u8 = 1;
    const USER_CANCELED: u8 = 90;
    let server = Server::start();
    let mut peer = Raw::connect(&server);
    let _ = peer.send(ALERT, &[&[WARNING, USER_CANCELED][..]; 1000]);
    is_over(&server, peer);
}

#[test]
fn e11_renegotiation_is_refused_and_asking_again_ends_the_connection() {
    let server = Server::start();
    let (_, message) = hello(&server.authority);
    let mut peer = Raw::with(&server, &rustls::version::TLS12);
    peer.send(HANDSHAKE, &[&message]).unwrap();
    peer.send(TEXT, &[b"hello\n"]).unwrap();
    // A warning, before the answer.
    let mut kind = [0];
    peer.stream.read_exact(&mut kind).unwrap();
    assert_eq!(kind, [21]);
    assert_eq!(server.running.stats().open, 1);
    let _ = peer.send(HANDSHAKE, &[&message[..]; 1000]);
    is_over(&server, peer);
}

#[test]
fn e11_handshake_messages_behind_the_handshake_end_the_connection() {
    let (_, message) = hello(&Authority::new());
    // All of it, its fragments, and one that is too long to be true.
    for texts in [vec![&message[..]], message.chunks(7).collect(), vec![&[1, 0xff, 0xff, 0xff]]] {
        let server = Server::start();
        let mut peer = Raw::connect(&server);
        let _ = peer.send(HANDSHAKE, &texts);
        is_over(&server, peer);
    }
}

#[test]
fn e11_a_fragment_of_a_handshake_message_is_held_for_as_long_as_the_machine_waits() {
    let server = Server::start();
    let mut peer = Raw::connect(&server);
    // The key update has five bytes.
    peer.send(HANDSHAKE, &[&[24, 0, 0]]).unwrap();
    server.until(|stats| stats.open == 1);
    assert_eq!(ask(&mut server.connect(), "hello"), "hello!");
    // Text between its fragments is an error.
    let _ = peer.send(TEXT, &[b"hello\n"]);
    server.until(|stats| stats.tls_failures == 1);
}

#[test]
fn e3_e11_an_end_within_a_handshake_message_is_no_end() {
    let server = Server::start();
    let mut peer = Raw::connect(&server);
    peer.send(HANDSHAKE, &[&[24, 0, 0]]).unwrap();
    let _ = peer.send(ALERT, &[&[1, 0]]);
    server.until(|stats| stats.tls_failures == 1 && stats.open == 0);
    assert_eq!(server.running.stats().done, 0);
}

#[test]
fn e3_e11_what_follows_the_end_is_ignored() {
    let server = Server::start();
    let mut peer = Raw::connect(&server);
    let end = peer.seal(ALERT, &[1, 0]);
    let text = peer.seal(TEXT, b"bye\n");
    // Records that are none, too.
    let rest = [text, vec![0; 300_000]].concat();
    let _ = peer.stream.write_all(&[end, rest].concat());
    server.until(|stats| stats.done == 1 && stats.open == 0);
    assert_eq!(server.running.stats().tls_failures, 0);
}

#[test]
fn e3_e11_an_end_in_the_middle_of_a_record_is_a_cut() {
    let server = Server::start();
    let mut peer = Raw::connect(&server);
    let text = peer.seal(TEXT, b"hello\n");
    let end = peer.seal(ALERT, &[1, 0]);
    // The end lies where the rest of the record should be, and so is not authentic.
    let _ = peer.stream.write_all(&[&text[..text.len() - end.len()], &end].concat());
    is_over(&server, peer);
}

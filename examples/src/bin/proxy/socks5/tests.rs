use std::io::ErrorKind;
use std::sync::Weak;
use std::time::Duration;

use fsm_runtime::check;
use fsm_runtime::sim::Session;

use super::*;
use frames::{Choices, Replies, Verdicts};
use lookup::Query;

const HELLO: &[u8] = b"\x05\x01\x00";

fn door(users: &[&str], allow: &[&str], deny: &[&str]) -> Arc<Door> {
    let rules = |texts: &[&str]| texts.iter().map(|text| text.parse().expect(text)).collect();
    let users = users.iter().map(|text| text.parse().expect(text)).collect();
    Arc::new(Door::new(users, Rules { allow: rules(allow), deny: rules(deny) }))
}

fn client(door: &Arc<Door>) -> Session<Socks, Client> {
    Session::new(Client::new(door, Peer::Memory))
}

/// A client whose greeting was answered.
fn greeted(door: &Arc<Door>) -> Session<Socks, Client> {
    let mut peer = client(door);
    peer.send(HELLO);
    assert_eq!(peer.receive(), b"\x05\x00");
    peer
}

/// A request to connect to an address or a name, which begins with its type.
fn connect(host: &[u8]) -> Vec<u8> {
    [b"\x05\x01\x00", host, b"\x00\x50"].concat()
}

fn named(name: &str) -> Vec<u8> {
    connect(&[&[3, u8::try_from(name.len()).expect("it is short")], name.as_bytes()].concat())
}

/// The code of the reply, which is the last thing that a client has got.
fn code(peer: &mut Session<Socks, Client>) -> Option<u8> {
    let got = peer.receive();
    (got.len() == 10).then(|| got[1])
}

#[test]
fn messages_are_the_same_however_they_arrive() {
    check::frames::<Greetings>();
    check::frames::<Choices>();
    check::frames::<Logins>();
    check::frames::<Verdicts>();
    check::frames::<Requests>();
    check::frames::<Replies>();
}

#[test]
fn a_client_is_joined_to_an_address_and_early_bytes_are_passed_on() {
    for (host, target) in [
        (&b"\x01\x0a\x00\x00\x01"[..], "10.0.0.1:80"),
        (b"\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", "[2001:db8::1]:80"),
        (b"\x03\x0810.0.0.1", "10.0.0.1:80"),
    ] {
        let mut peer = client(&door(&[], &[], &[]));
        peer.send(&[HELLO, &connect(host), b"early"].concat());
        assert_eq!(peer.connecting(), Some(target.parse().expect("a target")));
        peer.accept();
        assert_eq!(peer.receive(), b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0");
        assert_eq!(peer.other().receive(), b"early");
    }
}

#[test]
fn a_login_is_asked_for_and_a_wrong_one_ends_the_connection() {
    let door = door(&["ann:secret", "bob:a:b"], &[], &[]);
    for (login, answer) in [
        (&b"\x01\x03ann\x06secret"[..], &b"\x01\x00"[..]),
        (b"\x01\x03bob\x03a:b", b"\x01\x00"),
        (b"\x01\x03ann\x06wrong!", b"\x01\x01"),
        (b"\x01\x03eve\x06secret", b"\x01\x01"),
        (b"\x01\x00\x00", b"\x01\x01"),
    ] {
        let mut peer = client(&door);
        peer.send(b"\x05\x02\x00\x02");
        assert_eq!(peer.receive(), b"\x05\x02");
        peer.send(login);
        assert_eq!(peer.receive(), answer);
        assert_eq!(peer.state().is_some(), answer[1] == 0);
    }
    let mut peer = client(&door);
    peer.send(HELLO);
    assert_eq!((peer.receive().to_vec(), peer.state()), (b"\x05\xff".to_vec(), None));
}

#[test]
fn passwords_are_not_shown() {
    let user: User = "ann:secret".parse().expect("a user");
    assert!(!format!("{user:?}").contains("secret"));
}

#[test]
fn other_commands_and_addresses_are_refused_with_their_codes() {
    for (request, expected) in [
        (&b"\x05\x02\x00\x01\x0a\0\0\x01\0\x50"[..], 7),
        (b"\x05\x03\x00\x01\x0a\0\0\x01\0\x50", 7),
        (b"\x05\x01\x00\x05", 8),
        (b"\x04\x01\x00\x01", 1),
        (b"\x05\x01\x00\x03\x00\0\x50", 1),
        (b"\x05\x01\x00\x01\x7f\0\0\x01\0\x50", 2),
    ] {
        let mut peer = greeted(&door(&[], &[], &[]));
        peer.send(request);
        assert_eq!(code(&mut peer), Some(expected), "{}", request.escape_ascii());
        assert_eq!((peer.state(), peer.connecting()), (None, None));
    }
}

#[test]
fn a_failure_has_its_code() {
    for (kind, expected) in [
        (ErrorKind::ConnectionRefused, 5),
        (ErrorKind::HostUnreachable, 4),
        (ErrorKind::NetworkUnreachable, 3),
        (ErrorKind::TimedOut, 6),
        (ErrorKind::Other, 1),
    ] {
        let mut peer = greeted(&door(&[], &[], &[]));
        peer.send(&connect(b"\x01\x0a\0\0\x01"));
        peer.refuse(kind);
        peer.advance(Duration::from_millis(1));
        assert_eq!(code(&mut peer), Some(expected), "{kind}");
    }
    let mut peer = greeted(&door(&[], &[], &[]));
    peer.send(&connect(b"\x01\x0a\0\0\x01"));
    peer.advance(Duration::from_secs(5));
    assert_eq!(code(&mut peer), Some(6));
}

#[test]
fn a_name_is_looked_up_and_its_addresses_are_tried_in_turn() {
    let mut peer = greeted(&door(&[], &[], &["bad.example.org"]));
    peer.send(&named("example.org"));
    let job = peer.job::<Lookup>();
    let asked = job.map(|Query { name, port, .. }| (name, port));
    assert_eq!(asked, Some(("example.org".to_owned(), 80)));
    let addresses = ["[2001:db8::1]:80", "10.0.0.1:80"].map(|it| it.parse().expect("an address"));
    peer.reply::<Lookup>(addresses.into());
    assert_eq!(peer.connecting(), Some(addresses[0].into()));
    peer.refuse(ErrorKind::NetworkUnreachable);
    peer.advance(Duration::from_millis(1));
    assert_eq!(peer.connecting(), Some(addresses[1].into()));
    peer.accept();
    assert_eq!(code(&mut peer), Some(0));

    let mut peer = greeted(&door(&[], &[], &[]));
    peer.send(&named("no.such.host.invalid"));
    assert!(peer.job::<Lookup>().is_some());
    peer.reply::<Lookup>(Vec::new());
    assert_eq!(code(&mut peer), Some(4));

    let mut peer = greeted(&door(&[], &[], &["bad.example.org"]));
    peer.send(&named("BAD.example.org."));
    assert_eq!((code(&mut peer), peer.state()), (Some(2), None));
}

#[test]
fn a_name_with_many_addresses_scans_no_network() {
    let mut peer = greeted(&door(&[], &[], &[]));
    peer.send(&named("example.org"));
    assert!(peer.job::<Lookup>().is_some());
    peer.reply::<Lookup>((1..=200).map(|last| SocketAddr::from(([10, 0, 0, last], 80))).collect());
    let mut tried = 0;
    while peer.connecting().is_some() {
        tried += 1;
        peer.refuse(ErrorKind::ConnectionRefused);
        peer.advance(Duration::from_millis(1));
    }
    assert_eq!((tried, code(&mut peer)), (16, Some(5)));
}

#[test]
fn a_name_is_not_looked_up_for_a_client_that_has_gone() {
    let query = |client| Query { name: "localhost".to_owned(), port: 80, client };
    let client = Arc::new(());
    assert!(!look_up(query(Arc::downgrade(&client))).is_empty());
    assert!(look_up(query(Weak::new())).is_empty());
}

/// The name of an attacker has the address of this machine: nothing is connected, also in part.
#[test]
fn a_name_does_not_lead_to_this_machine() {
    let local = ["127.0.0.1:80", "[::1]:80", "169.254.169.254:80", "[::ffff:127.0.0.1]:80"];
    let local = local.map(|text| text.parse::<SocketAddr>().expect("an address"));
    for allow in [&[][..], &["rebind.example.org"], &["0.0.0.0/0", "::/0"]] {
        let mut peer = greeted(&door(&[], allow, &[]));
        peer.send(&named("rebind.example.org"));
        assert!(peer.job::<Lookup>().is_some());
        peer.reply::<Lookup>(local.into());
        assert_eq!((peer.connecting(), code(&mut peer)), (None, Some(2)), "{allow:?}");
    }
    let mut peer = greeted(&door(&[], &["127.0.0.0/8:80"], &[]));
    peer.send(&named("localhost"));
    assert!(peer.job::<Lookup>().is_some());
    peer.reply::<Lookup>(local.into());
    assert_eq!(peer.connecting(), Some(local[0].into()));
}

#[test]
fn a_client_that_does_not_come_to_its_request_is_disconnected() {
    let mut peer = greeted(&door(&[], &[], &[]));
    peer.advance(Duration::from_millis(9_999));
    assert_eq!(peer.state(), Some("Request"));
    peer.advance(Duration::from_millis(1));
    assert_eq!(peer.state(), None);
}

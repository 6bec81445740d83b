use std::io::ErrorKind;
use std::time::Duration;

use fsm_runtime::sim::Session;

use super::*;

const CLIENT: &str = "192.0.2.7:4000";

fn forwarder(accept_proxy: bool, send_proxy: Option<SendProxy>) -> Arc<Forwarder> {
    let targets = ["10.0.0.1:1", "10.0.0.1:2"].map(|text| text.parse().expect("a target"));
    let listens = OnceLock::from("198.51.100.1:7010".parse().ok());
    Arc::new(Forwarder { targets: Targets::new(targets.into()), accept_proxy, send_proxy, listens })
}

fn client(shared: &Arc<Forwarder>) -> Session<Forward, Client> {
    let peer = Peer::Tcp(CLIENT.parse().expect("an address"));
    Session::new(Client::new(shared, peer))
}

fn connecting(peer: &Session<Forward, Client>) -> Option<String> {
    peer.connecting().map(|target| target.to_string())
}

#[test]
fn the_next_target_is_tried_before_the_client_hears_anything() {
    let shared = forwarder(false, None);
    let mut peer = client(&shared);
    peer.send(b"early");
    assert_eq!(connecting(&peer).as_deref(), Some("10.0.0.1:1"));
    peer.refuse(ErrorKind::ConnectionRefused);
    peer.advance(Duration::from_millis(1));
    assert_eq!(connecting(&peer).as_deref(), Some("10.0.0.1:2"));
    assert_eq!(peer.receive(), b"");
    peer.accept();
    assert_eq!(peer.other().receive(), b"early");
    // All others leave the first one alone.
    assert_eq!(connecting(&client(&shared)).as_deref(), Some("10.0.0.1:2"));
    assert_eq!(connecting(&client(&shared)).as_deref(), Some("10.0.0.1:2"));
}

#[test]
fn a_target_that_is_silent_is_like_one_that_refuses() {
    let mut peer = client(&forwarder(false, None));
    for target in ["10.0.0.1:1", "10.0.0.1:2"] {
        assert_eq!(connecting(&peer).as_deref(), Some(target));
        peer.advance(Duration::from_secs(5));
        peer.advance(Duration::from_millis(1));
    }
    assert_eq!((peer.state(), peer.receive().len()), (None, 0));
}

#[test]
fn a_target_that_breaks_before_it_answers_is_left_alone() {
    for (answer, next) in [(&b""[..], "10.0.0.1:2"), (b"an answer", "10.0.0.1:1")] {
        let shared = forwarder(false, None);
        let mut peer = client(&shared);
        peer.accept();
        peer.other().send(answer);
        peer.other().reset();
        assert_eq!(peer.state(), None);
        // The second target would have its turn, and then the first one again.
        let second = client(&shared);
        assert_eq!(connecting(&second).as_deref(), Some("10.0.0.1:2"));
        assert_eq!(connecting(&client(&shared)).as_deref(), Some(next));
    }
}

#[test]
fn a_header_is_read_only_when_it_is_expected() {
    let mut peer = client(&forwarder(true, None));
    peer.send(b"PROXY TCP4 192.0.2.9 198.51.100.2 1 2\r\nhello");
    peer.accept();
    assert_eq!(peer.other().receive(), b"hello");

    let mut peer = client(&forwarder(true, None));
    peer.send(b"hello");
    assert_eq!((connecting(&peer), peer.state()), (None, None));

    let mut peer = client(&forwarder(false, None));
    peer.accept();
    peer.send(b"PROXY TCP4 192.0.2.9 198.51.100.2 1 2\r\n");
    assert_eq!(peer.other().receive(), b"PROXY TCP4 192.0.2.9 198.51.100.2 1 2\r\n");
}

#[test]
fn a_header_announces_the_client_of_the_socket_or_of_the_header() {
    for (send, prefix) in [(SendProxy::V1, &b"PROXY TCP4 "[..]), (SendProxy::V2, b"\r\n\r\n\0")] {
        for accept in [false, true] {
            let mut peer = client(&forwarder(accept, Some(send)));
            if accept {
                peer.send(b"PROXY TCP4 192.0.2.9 198.51.100.2 1 2\r\n");
            }
            peer.accept();
            let sent = peer.other().receive();
            assert!(sent.starts_with(prefix), "{}", sent.escape_ascii());
            let Ok(Decoded::Frame(origin, _)) = proxy::Header.decode(&sent) else { panic!() };
            let (source, destination) = if accept {
                ("192.0.2.9:1", "198.51.100.2:2")
            } else {
                (CLIENT, "198.51.100.1:7010")
            };
            assert_eq!(origin.source(), Some(source.parse().expect("an address")));
            assert_eq!(origin.destination(), Some(destination.parse().expect("an address")));
        }
    }
}

#[test]
fn addresses_of_both_families_and_unknown_clients_make_a_header() {
    let shared = forwarder(false, None);
    let address = |text: &str| Some(text.parse().expect("an address"));
    for (source, written) in [
        (address("[::ffff:192.0.2.7]:5"), "PROXY TCP4 192.0.2.7 198.51.100.1 5 7010\r\n"),
        (address("[2001:db8::1]:5"), "PROXY TCP6 2001:db8::1 :: 5 7010\r\n"),
        (None, "PROXY UNKNOWN\r\n"),
    ] {
        let mut out = Vec::new();
        let header = shared.header(SendProxy::V1, Ends { source, destination: None });
        header.encode(&mut out).expect("it can be sent");
        assert_eq!(String::from_utf8_lossy(&out), written);
    }
}

#[test]
fn a_client_that_comes_before_the_address_is_known_waits_for_it() {
    let mut shared = forwarder(false, Some(SendProxy::V1));
    Arc::get_mut(&mut shared).expect("nobody shares it yet").listens = OnceLock::new();
    let mut peer = client(&shared);
    peer.advance(Duration::from_millis(100));
    assert_eq!(connecting(&peer), None);
    shared.listens.set("198.51.100.1:7010".parse().ok()).expect("it is not known");
    peer.advance(Duration::from_millis(10));
    peer.accept();
    assert!(peer.other().receive().ends_with(b" 7010\r\n"));
}

#[test]
fn the_settings_bound_a_quiet_and_a_half_closed_tunnel() {
    for (ends, seconds) in [(false, 3600), (true, 60)] {
        let mut peer = client(&forwarder(false, None));
        peer.accept();
        if ends {
            peer.end();
        }
        peer.advance(Duration::from_secs(seconds - 1));
        assert_eq!(peer.state(), Some("Tunnel"));
        peer.advance(Duration::from_secs(1));
        assert_eq!(peer.state(), None);
    }
}

//! Chains of certificates as long as a message of the handshake may be, and longer.

use rustls::pki_types::CertificateDer;

use super::*;

/// The most bytes of a message of a handshake that rustls reads.
const LARGEST: usize = 0xffff;

/// A client whose chain has so many bytes.
fn client_with_chain(authority: &Authority, bytes: usize) -> rustls::ClientConfig {
    let (certificate, key) = authority.issue("somebody");
    // Each certificate has three bytes of length and two for its extensions, and the message some more.
    let more = bytes - certificate.len() - 100;
    let filler = CertificateDer::from(vec![0x30; more]);
    let config = rustls::ClientConfig::builder().with_root_certificates(authority.roots());
    config.with_client_auth_cert(vec![certificate, filler], key).unwrap()
}

#[test]
fn e1_e11_a_chain_of_certificates_is_as_long_as_a_message_may_be() {
    let authority = Authority::new();
    let running = Pool::builder::<Lines>("lines")
        .tls(certificates::server_that_asks(&authority, "localhost"))
        .listen("127.0.0.1:0")
        .handler(|_peer| Client)
        .start()
        .unwrap();
    let address = running.addresses()[0].to_string().parse().unwrap();
    for size in [20_000, LARGEST] {
        let config = client_with_chain(&authority, size);
        let mut peer = connect(address, config.into());
        assert_eq!(ask(&mut peer, "who"), "localhost  2 false TLSv1_3", "{size}");
    }
    let config = client_with_chain(&authority, LARGEST + 1000);
    let mut peer = connect(address, config.into());
    let refused = peer.get_mut().write_all(b"who\n").and_then(|()| {
        let mut line = String::new();
        peer.read_line(&mut line).map(|_| assert_eq!(line, ""))
    });
    assert!(refused.is_err(), "the server does not end it as if it was whole");
    until(|| running.stats().tls_failures == 1);
}

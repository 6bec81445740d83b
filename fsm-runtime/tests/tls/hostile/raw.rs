use rustls::crypto::cipher::{MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::crypto::ring::cipher_suite;
use rustls::{
    ConnectionTrafficSecrets, ContentType, ProtocolVersion, SupportedCipherSuite,
    SupportedProtocolVersion,
};

use super::*;

/// A client whose handshake is over, and which seals whatever it likes in records of its own.
pub(super) struct Raw {
    pub(super) stream: TcpStream,
    sealer: Box<dyn MessageEncrypter>,
    sent: u64,
}

impl Raw {
    pub(super) fn connect(server: &Server) -> Self {
        Self::with(server, &rustls::version::TLS13)
    }

    /// A client that speaks no other version.
    pub(super) fn with(server: &Server, version: &'static SupportedProtocolVersion) -> Self {
        let mut provider = rustls::crypto::ring::default_provider();
        provider.cipher_suites = vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        ];
        let config = rustls::ClientConfig::builder_with_provider(provider.into());
        let config = config.with_protocol_versions(&[version]).unwrap();
        let config = config.with_root_certificates(server.authority.roots());
        let mut config = config.with_no_client_auth();
        config.enable_secret_extraction = true;
        let mut peer = connect(server.address(), config.into());
        while peer.get_ref().conn.is_handshaking() {
            let StreamOwned { conn, sock } = peer.get_mut();
            conn.complete_io(sock).unwrap();
        }
        let (session, stream) = peer.into_inner().into_parts();
        let suite = session.negotiated_cipher_suite().unwrap();
        let (sent, secrets) = session.dangerous_extract_secrets().unwrap().tx;
        let ConnectionTrafficSecrets::Aes256Gcm { key, iv } = secrets else { unreachable!() };
        let sealer = match suite {
            SupportedCipherSuite::Tls13(suite) => suite.aead_alg.encrypter(key, iv),
            SupportedCipherSuite::Tls12(suite) => {
                let (implicit, explicit) = iv.as_ref().split_at(4);
                suite.aead_alg.encrypter(key, implicit, explicit)
            }
        };
        Self { stream, sealer, sent }
    }

    /// A record of this kind.
    pub(super) fn seal(&mut self, kind: ContentType, text: &[u8]) -> Vec<u8> {
        let payload = OutboundChunks::Single(text);
        let plain = OutboundPlainMessage { typ: kind, version: ProtocolVersion::TLSv1_2, payload };
        let sealed = self.sealer.encrypt(plain, self.sent).unwrap().encode();
        self.sent += 1;
        sealed
    }

    /// Sends as many records of this kind.
    pub(super) fn send(&mut self, kind: ContentType, texts: &[&[u8]]) -> io::Result<()> {
        let records: Vec<u8> = texts.iter().flat_map(|text| self.seal(kind, text)).collect();
        self.stream.write_all(&records)
    }

    /// Waits for the server to end the connection.
    pub(super) fn until_its_end(mut self) {
        let mut got = Vec::new();
        // Unread input makes its end a reset.
        let _ = self.stream.read_to_end(&mut got);
    }
}

use std::fmt;

use rustls::pki_types::CertificateDer;
use rustls::{HandshakeKind, ProtocolVersion, SupportedCipherSuite};

use super::session::Session;

/// What is known of the TLS session of a connection: what [`Cx::tls`](crate::Cx::tls) returns.
///
/// Until the handshake is over only the name that the client has asked for may be known.
#[derive(Clone, Copy)]
pub struct TlsSession<'a>(pub(crate) &'a Session);

impl<'a> TlsSession<'a> {
    /// Whether the handshake goes on.
    pub fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }

    /// The name that the client has asked for (SNI). `None` on the client's side, and for clients that ask for
    /// none, such as those that connect to an IP address.
    pub fn server_name(&self) -> Option<&'a str> {
        self.0.server_name()
    }

    /// The protocol that both sides have agreed on (ALPN), such as `b"http/1.1"`.
    pub fn alpn(&self) -> Option<&'a [u8]> {
        self.0.facts().alpn_protocol()
    }

    /// The certificates of the peer, its own first. Empty on a server that does not ask its clients for
    /// certificates.
    pub fn certificates(&self) -> &'a [CertificateDer<'static>] {
        self.0.facts().peer_certificates().unwrap_or_default()
    }

    /// The version of TLS.
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.0.facts().protocol_version()
    }

    /// The cipher suite.
    pub fn cipher_suite(&self) -> Option<SupportedCipherSuite> {
        self.0.facts().negotiated_cipher_suite()
    }

    /// Whether an earlier session was resumed.
    pub fn is_resumed(&self) -> bool {
        self.0.facts().handshake_kind() == Some(HandshakeKind::Resumed)
    }
}

impl fmt::Debug for TlsSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSession")
            .field("version", &self.version())
            .field("server_name", &self.server_name())
            .finish_non_exhaustive()
    }
}

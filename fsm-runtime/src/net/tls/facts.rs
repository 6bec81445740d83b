use std::fmt;

use rustls::pki_types::CertificateDer;
use rustls::{CommonState, HandshakeKind, ProtocolVersion, SupportedCipherSuite};

use super::session::RustlsSession;

/// Facts about the TLS session of a connection, from [`Cx::tls`](crate::Cx::tls).
///
/// Until the handshake is over only the name that the client has asked for may be known. The handler of a
/// `#[tls]` state gets one whose handshake is over.
#[derive(Clone, Copy)]
pub struct TlsSession<'a>(Facts<'a>);

#[derive(Clone, Copy)]
enum Facts<'a> {
    Session(&'a RustlsSession),
    /// A handshake that a test has simulated.
    Simulated,
}

impl<'a> TlsSession<'a> {
    pub(crate) fn of(session: &'a RustlsSession) -> Self {
        Self(Facts::Session(session))
    }

    /// The session of a handshake that a test has simulated, of which nothing is known.
    pub(crate) fn simulated() -> Self {
        Self(Facts::Simulated)
    }

    fn session(self) -> Option<&'a RustlsSession> {
        match self.0 {
            Facts::Session(session) => Some(session),
            Facts::Simulated => None,
        }
    }

    fn facts(self) -> Option<&'a CommonState> {
        self.session().map(RustlsSession::facts)
    }

    /// Whether the handshake goes on.
    pub fn is_handshaking(&self) -> bool {
        self.session().is_some_and(RustlsSession::is_handshaking)
    }

    /// The name that the client has asked for (SNI). `None` on the client's side, and for clients that ask for
    /// none, such as those that connect to an IP address.
    pub fn server_name(&self) -> Option<&'a str> {
        self.session()?.server_name()
    }

    /// The protocol that both sides have agreed on (ALPN), such as `b"http/1.1"`.
    pub fn alpn(&self) -> Option<&'a [u8]> {
        self.facts()?.alpn_protocol()
    }

    /// The certificates of the peer, its own first. Empty on a server that does not ask its clients for
    /// certificates.
    pub fn certificates(&self) -> &'a [CertificateDer<'static>] {
        self.facts().and_then(CommonState::peer_certificates).unwrap_or_default()
    }

    /// The version of TLS.
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.facts()?.protocol_version()
    }

    /// The cipher suite.
    pub fn cipher_suite(&self) -> Option<SupportedCipherSuite> {
        self.facts()?.negotiated_cipher_suite()
    }

    /// Whether an earlier session was resumed.
    pub fn is_resumed(&self) -> bool {
        self.facts().and_then(CommonState::handshake_kind) == Some(HandshakeKind::Resumed)
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

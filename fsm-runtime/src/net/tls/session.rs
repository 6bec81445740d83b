use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::{ClientConfig, CommonState, Error, ServerConfig};

use super::TlsSession;
use super::config::asked_name;
use super::records::{Encrypt, decrypt, has_record, write};
use crate::Ended;
use crate::layer::LayerEnd;
use crate::net::layered::codec::{Codec, DecodedBytes, Sinks, Unread};
use crate::net::transport::BeginTls;

/// One side of a TLS connection without its socket: ciphertext goes in and comes out, and so does plaintext.
///
/// It has no buffer, so that an idle one takes as little memory as can be. Unprocessed ciphertext and unsent
/// output are the caller's.
#[derive(Debug)]
pub struct RustlsSession {
    connection: RustlsConnection,
    /// The name that the client has asked for.
    server_name: Option<Arc<str>>,
    /// The peer has ended its stream with `close_notify`.
    has_closed: bool,
}

enum RustlsConnection {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

impl fmt::Debug for RustlsConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server(_) => "Server",
            Self::Client(_) => "Client",
        })
    }
}

impl RustlsSession {
    pub(super) fn server(config: Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Self::new(RustlsConnection::Server(UnbufferedServerConnection::new(config)?)))
    }

    pub(super) fn client(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, Error> {
        Ok(Self::new(RustlsConnection::Client(UnbufferedClientConnection::new(config, name)?)))
    }

    fn new(connection: RustlsConnection) -> Self {
        Self { connection, server_name: None, has_closed: false }
    }

    /// The facts that rustls has about the session.
    pub(super) fn facts(&self) -> &CommonState {
        match &self.connection {
            RustlsConnection::Server(server) => server,
            RustlsConnection::Client(client) => client,
        }
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.facts().is_handshaking()
    }

    pub(super) fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }
}

impl Codec for RustlsSession {
    const FAILURE: Ended = Ended::TlsFailed;

    fn begin(begin: &BeginTls<'_>) -> io::Result<Self> {
        let missing = || io::Error::from(io::ErrorKind::Unsupported);
        let settings = begin.settings.ok_or_else(missing)?;
        match &begin.name {
            Some(name) => settings.client_of(name),
            None => settings.role(begin.target)?.begin(),
        }
    }

    fn is_handshaking(&self) -> bool {
        self.is_handshaking()
    }

    fn has_closed(&self) -> bool {
        self.has_closed
    }

    fn can_decode(&self, wire: &[u8]) -> bool {
        has_record(wire)
    }

    fn decode(&mut self, wire: &mut [u8], into: Sinks<'_>) -> io::Result<DecodedBytes> {
        let handshakes = self.is_handshaking();
        let decoded = match &mut self.connection {
            RustlsConnection::Server(server) => decrypt(server, wire, into, &mut self.has_closed),
            RustlsConnection::Client(client) => decrypt(client, wire, into, &mut self.has_closed),
        };
        if handshakes {
            if let Some(name) = asked_name() {
                self.server_name = Some(name);
            }
        }
        decoded.map_err(failure)
    }

    fn encode(
        &mut self,
        plain: &[u8],
        unread: Unread<'_>,
        outgoing: &mut Vec<u8>,
    ) -> io::Result<usize> {
        let (encrypt, has_closed) = (Encrypt::Plain(plain), &mut self.has_closed);
        let made = match &mut self.connection {
            RustlsConnection::Server(server) => {
                write(server, encrypt, unread, outgoing, has_closed)
            }
            RustlsConnection::Client(client) => {
                write(client, encrypt, unread, outgoing, has_closed)
            }
        };
        Ok(if made.map_err(failure)? { plain.len() } else { 0 })
    }

    fn close(&mut self, unread: Unread<'_>, outgoing: &mut Vec<u8>) -> io::Result<()> {
        let (close, has_closed) = (Encrypt::CloseNotify, &mut self.has_closed);
        let closed = match &mut self.connection {
            RustlsConnection::Server(server) => write(server, close, unread, outgoing, has_closed),
            RustlsConnection::Client(client) => write(client, close, unread, outgoing, has_closed),
        };
        closed.map(drop).map_err(failure)
    }

    /// Its own end is `close_notify`.
    fn end(&self) -> LayerEnd {
        LayerEnd::Unsaid
    }

    fn tls(&self) -> Option<TlsSession<'_>> {
        Some(TlsSession::of(self))
    }
}

/// The error of a connection whose session has failed.
pub(super) fn failure(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

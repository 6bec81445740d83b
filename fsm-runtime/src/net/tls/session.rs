use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::{ClientConfig, CommonState, Error, ServerConfig};

use super::config::asked_name;
use super::records::{Decrypted, Encrypt, Sinks, Unread, decrypt, write};

/// The most plaintext of a record.
pub(super) const RECORD: usize = 16 * 1024;
/// One side of a TLS connection without its socket: ciphertext goes in and comes out, and so does plaintext.
///
/// It has no buffer, so that an idle one takes as little memory as can be. Unprocessed ciphertext and unsent
/// output are the caller's.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Connection,
    /// The name that the client has asked for.
    server_name: Option<Box<str>>,
    /// The peer has ended its stream with `close_notify`.
    has_closed: bool,
}

enum Connection {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server(_) => "Server",
            Self::Client(_) => "Client",
        })
    }
}

impl Session {
    pub(super) fn server(config: Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Self::new(Connection::Server(UnbufferedServerConnection::new(config)?)))
    }

    pub(super) fn client(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, Error> {
        Ok(Self::new(Connection::Client(UnbufferedClientConnection::new(config, name)?)))
    }

    fn new(connection: Connection) -> Self {
        Self { connection, server_name: None, has_closed: false }
    }

    /// What rustls knows of the session.
    pub(super) fn facts(&self) -> &CommonState {
        match &self.connection {
            Connection::Server(server) => server,
            Connection::Client(client) => client,
        }
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.facts().is_handshaking()
    }

    /// Whether the peer has ended its stream with `close_notify`.
    pub(super) fn has_closed(&self) -> bool {
        self.has_closed
    }

    pub(super) fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Processes ciphertext until `plain` is full or no whole record is left. Plaintext that has no room goes
    /// into `rest`, and what the session has to tell its peer is appended to `outgoing`, also after an error.
    pub(super) fn decrypt(
        &mut self,
        incoming: &mut [u8],
        plain: &mut [u8],
        rest: &mut Vec<u8>,
        outgoing: &mut Vec<u8>,
    ) -> Result<Decrypted, Error> {
        let into = Sinks { plain, rest, outgoing };
        let handshakes = self.is_handshaking();
        let decrypted = match &mut self.connection {
            Connection::Server(server) => decrypt(server, incoming, into, &mut self.has_closed),
            Connection::Client(client) => decrypt(client, incoming, into, &mut self.has_closed),
        };
        if handshakes {
            if let Some(name) = asked_name() {
                self.server_name = Some(name);
            }
        }
        decrypted
    }

    /// Appends a record with the first bytes of `plain` to `outgoing`. Returns how many they are: none while the
    /// handshake goes on. `unread` is what is not processed yet; whole records in it are.
    pub(super) fn encrypt(
        &mut self,
        plain: &[u8],
        unread: Unread<'_>,
        outgoing: &mut Vec<u8>,
    ) -> Result<usize, Error> {
        let plain = &plain[..plain.len().min(RECORD)];
        let encrypt = Encrypt::Plain(plain);
        let made = match &mut self.connection {
            Connection::Server(server) => {
                write(server, encrypt, unread, outgoing, &mut self.has_closed)
            }
            Connection::Client(client) => {
                write(client, encrypt, unread, outgoing, &mut self.has_closed)
            }
        };
        Ok(if made? { plain.len() } else { 0 })
    }

    /// Appends the alert that ends our stream.
    pub(super) fn close(
        &mut self,
        unread: Unread<'_>,
        outgoing: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let (close, has_closed) = (Encrypt::CloseNotify, &mut self.has_closed);
        let closed = match &mut self.connection {
            Connection::Server(server) => write(server, close, unread, outgoing, has_closed),
            Connection::Client(client) => write(client, close, unread, outgoing, has_closed),
        };
        closed.map(drop)
    }
}

/// The error of a connection whose session has failed.
pub(super) fn failure(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

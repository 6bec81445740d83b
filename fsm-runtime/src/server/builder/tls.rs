use super::Builder;
use crate::net::tls::TlsSettings;
use crate::server::layer::Encrypted;
use crate::{Connection, Machine, OpenMachine, Plain, TlsClient, TlsServer};

impl<M: Machine<Kind = Connection>> Builder<M, Plain> {
    /// Encrypts the connections that the pool accepts, or takes over from other pools and programs. Only with
    /// the feature `tls`.
    ///
    /// TLS begins with the connection, or in the `#[tls]` state of the machine if it has one. Without such a
    /// state handlers read and write plaintext alone. The handshake is part of the first
    /// wait of the machine, whose deadline bounds it. A peer whose handshake fails gets the alert that says why,
    /// and its connection ends as [`Ended::TlsFailed`](crate::Ended::TlsFailed). Output that handlers write
    /// before the handshake is over leaves behind it.
    ///
    /// The end of the peer's stream is an `eof` if the peer says so (`close_notify`). Without that, it is one in
    /// a `#[rest]` state with nothing unread, because many peers leave like that; anywhere else the connection
    /// ends as [`Ended::Truncated`](crate::Ended::Truncated), since somebody may have cut the stream off.
    ///
    /// Bounds and times are those of plain connections: they count plaintext. Beside that a connection has at
    /// most some 256 KiB of ciphertext, and none while it is idle.
    pub fn tls(self, server: impl Into<TlsServer>) -> Builder<M, Encrypted> {
        let server = Some(server.into());
        self.encrypted(TlsSettings { server, ..TlsSettings::default() })
    }

    /// Encrypts the connections that the pool opens. Only with the feature `tls`. See [`tls`](Builder::tls).
    ///
    /// The certificate of the server must be for the host of the target, or for the
    /// [`name`](TlsClient::name) in the settings.
    pub fn tls_client(self, client: impl Into<TlsClient>) -> Builder<M, Encrypted> {
        let client = Some(client.into());
        self.encrypted(TlsSettings { client, ..TlsSettings::default() })
    }

    fn encrypted(self, settings: TlsSettings) -> Builder<M, Encrypted> {
        self.over(settings)
    }
}

impl<M: Machine<Kind = Connection>> Builder<M, Encrypted> {
    /// Adds an address whose connections stay plain, as [`listen`](Builder::listen) takes it: for clients on
    /// this machine, or for a redirection to the encrypted address. Handlers know them by
    /// [`Cx::tls`](crate::Cx::tls), which is `None`.
    pub fn listen_plain(self, address: impl Into<String>) -> Self
    where
        M: OpenMachine,
    {
        self.listen_at(address.into(), true)
    }

    /// Encrypts the connections that the pool accepts, beside those that it opens: see
    /// [`tls`](Builder::tls).
    pub fn and_tls(mut self, server: impl Into<TlsServer>) -> Self {
        self.layer.server = Some(server.into());
        self
    }

    /// Encrypts the connections that the pool opens, beside those that it accepts: see
    /// [`tls_client`](Builder::tls_client).
    pub fn and_tls_client(mut self, client: impl Into<TlsClient>) -> Self {
        self.layer.client = Some(client.into());
        self
    }
}

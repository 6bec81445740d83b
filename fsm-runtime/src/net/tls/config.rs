use std::cell::RefCell;
use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig};

use super::session::{RustlsSession, failure};
use crate::Target;

/// The TLS settings of a server: what [`Builder::tls`](crate::Builder::tls) takes.
///
/// It can be made of a [`ServerConfig`] of rustls, which has certificates, protocol versions, ALPN, client
/// certificates and the resumption of sessions. Clones share the configuration, so that a program can
/// [`replace`](Self::replace) it while the pool serves.
///
/// Without settings of its own, rustls keeps 256 sessions in memory for resumption and sends no tickets that
/// outlive the process: see [`ServerConfig::session_storage`] and [`ServerConfig::ticketer`].
///
/// Data that a client sends before its handshake is over (0-RTT) is never taken, because somebody may repeat it:
/// [`ServerConfig::max_early_data_size`] has no effect, and the client sends the data again behind the handshake.
#[derive(Clone)]
pub struct TlsServer(Arc<RwLock<Arc<ServerConfig>>>);

impl TlsServer {
    /// The settings with this configuration.
    pub fn new(config: impl Into<Arc<ServerConfig>>) -> Self {
        Self(Arc::new(RwLock::new(completed(config.into()))))
    }

    /// Replaces the configuration, for example when the certificates have been renewed. Handshakes that begin
    /// from now on use the new one; connections that are there keep theirs.
    pub fn replace(&self, config: impl Into<Arc<ServerConfig>>) {
        let config = completed(config.into());
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl From<Arc<ServerConfig>> for TlsServer {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self::new(config)
    }
}

impl From<ServerConfig> for TlsServer {
    fn from(config: ServerConfig) -> Self {
        Self::new(config)
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").finish_non_exhaustive()
    }
}

/// The TLS settings of a client: what [`Builder::tls_client`](crate::Builder::tls_client) takes.
///
/// It can be made of a [`ClientConfig`] of rustls, which has the authorities that are trusted, ALPN and a client
/// certificate. The certificate of a server must be for the host of the target that the pool connects to, or
/// for the [`name`](Self::name) that is set here.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl TlsClient {
    /// The settings with this configuration.
    pub fn new(config: impl Into<Arc<ClientConfig>>) -> Self {
        Self { config: config.into(), name: None }
    }

    /// Sets the name that the server's certificate must be for, whatever the target is called. Needed for
    /// targets without a host, such as Unix sockets.
    pub fn name(mut self, name: ServerName<'static>) -> Self {
        self.name = Some(name);
        self
    }
}

impl From<Arc<ClientConfig>> for TlsClient {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self::new(config)
    }
}

impl From<ClientConfig> for TlsClient {
    fn from(config: ClientConfig) -> Self {
        Self::new(config)
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The TLS settings of a pool.
#[derive(Clone, Debug, Default)]
pub struct TlsSettings {
    /// For connections that the pool accepts or takes over.
    pub(crate) server: Option<TlsServer>,
    /// For connections that the pool opens.
    pub(crate) client: Option<TlsClient>,
    /// The names of the pool's targets, where those have a host.
    pub(crate) names: Vec<Option<ServerName<'static>>>,
    /// Where TLS begins.
    pub(crate) begins: Begins,
}

/// Where the TLS of a pool's connections begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Begins {
    /// With the connection.
    #[default]
    AtOnce,
    /// In `#[tls]` states of the machine.
    InStates {
        /// Some of them name the server.
        named: bool,
        /// Some of them do not.
        unnamed: bool,
    },
}

impl Begins {
    /// Whether some connections begin TLS as the part that they took when they were opened.
    fn by_origin(self) -> bool {
        !matches!(self, Self::InStates { unnamed: false, .. })
    }

    /// Whether some connections begin it as a client of a server that their state names.
    fn by_name(self) -> bool {
        matches!(self, Self::InStates { named: true, .. })
    }
}

/// The part that a connection takes in its TLS handshake.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TlsRole<'a> {
    Server(&'a TlsServer),
    Client(&'a TlsClient, &'a ServerName<'static>),
}

impl TlsSettings {
    /// Notes the names of the targets, and checks that nothing is missing.
    pub(crate) fn complete(&mut self, targets: &[Target], accepts: bool) -> Result<(), String> {
        if self.begins.by_name() && self.client.is_none() {
            return Err("its machine names a server in a `#[tls(name = ..)]` state; give it \
                        `and_tls_client(..)` with the settings of a client"
                .to_owned());
        }
        if !self.begins.by_origin() {
            return Ok(());
        }
        if accepts && self.server.is_none() {
            return Err(
                "it listens; give it `and_tls(..)` with the settings of a server".to_owned()
            );
        }
        if !targets.is_empty() && self.client.is_none() {
            return Err("it connects; give it `and_tls_client(..)` with the settings of a client"
                .to_owned());
        }
        let has_name = self.client.as_ref().is_some_and(|client| client.name.is_some());
        for target in targets {
            let name = host_of(target);
            if name.is_none() && !has_name {
                return Err(format!(
                    "the target `{target}` has no host that a certificate could be for; set \
                     `TlsClient::name`"
                ));
            }
            self.names.push(name);
        }
        Ok(())
    }

    /// Begins the session of a client of this server.
    pub(crate) fn client_of(&self, name: &str) -> io::Result<RustlsSession> {
        let missing = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        let client = self.client.as_ref().ok_or_else(|| missing("the pool has no `tls_client`"))?;
        let name = ServerName::try_from(name).map_err(|_| {
            missing("the name of the server is none that a certificate could be for")
        })?;
        TlsRole::Client(client, &name.to_owned()).begin()
    }

    /// The part of a connection that was opened to the target with this number, or was accepted.
    pub(crate) fn role(&self, target: Option<usize>) -> io::Result<TlsRole<'_>> {
        let missing = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        let Some(target) = target else {
            let server = self.server.as_ref().ok_or_else(|| missing("the pool has no `tls`"))?;
            return Ok(TlsRole::Server(server));
        };
        let client = self.client.as_ref().ok_or_else(|| missing("the pool has no `tls_client`"))?;
        let host = || self.names.get(target)?.as_ref();
        let name = client.name.as_ref().or_else(host);
        Ok(TlsRole::Client(client, name.ok_or_else(|| missing("the target has no host name"))?))
    }
}

/// The host of a target, as certificates name it.
fn host_of(target: &Target) -> Option<ServerName<'static>> {
    match target {
        Target::Tcp(address) => Some(ServerName::IpAddress(address.ip().into())),
        Target::Name(host, _) => ServerName::try_from(host.clone()).ok(),
        Target::Unix(_) | Target::Udp(_) | Target::UdpName(..) => None,
        Target::Tls(target) => host_of(target),
    }
}

impl TlsClient {
    /// The part of a client of this target.
    pub(crate) fn role(&self, target: &Target) -> Option<(Self, ServerName<'static>)> {
        let name = self.name.clone().or_else(|| host_of(target))?;
        Some((self.clone(), name))
    }
}

impl TlsRole<'_> {
    /// Begins a session.
    pub(crate) fn begin(self) -> io::Result<RustlsSession> {
        let begun = match self {
            Self::Server(server) => RustlsSession::server(server.current()),
            Self::Client(client, name) => {
                RustlsSession::client(Arc::clone(&client.config), name.clone())
            }
        };
        begun.map_err(failure)
    }
}

thread_local! {
    /// The name in the `ClientHello` that this thread has processed last.
    static ASKED: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
    /// The name before that, which most clients ask for again.
    static BEFORE: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// The name in a `ClientHello` that this thread has just processed.
pub(super) fn asked_name() -> Option<Arc<str>> {
    ASKED.take()
}

/// Notes a name. Connections of a thread whose clients ask for the same name one after the other share it.
fn note_name(name: &str) {
    let before = BEFORE.take().filter(|before| **before == *name);
    let name = before.unwrap_or_else(|| Arc::from(name));
    ASKED.set(Some(Arc::clone(&name)));
    BEFORE.set(Some(name));
}

/// Notes the name that a client asks for, because a session without buffers does not tell it.
struct HearsNames(Arc<dyn ResolvesServerCert>);

impl ResolvesServerCert for HearsNames {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        ASKED.set(None);
        if let Some(name) = hello.server_name() {
            note_name(name);
        }
        self.0.resolve(hello)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.0.only_raw_public_keys()
    }
}

impl fmt::Debug for HearsNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The configuration as sessions need it.
fn completed(config: Arc<ServerConfig>) -> Arc<ServerConfig> {
    let mut config = Arc::unwrap_or_clone(config);
    config.cert_resolver = Arc::new(HearsNames(config.cert_resolver));
    config.max_early_data_size = 0;
    Arc::new(config)
}

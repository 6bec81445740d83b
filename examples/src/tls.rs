//! TLS for the examples: certificates from files, and whom clients trust.

mod unchecked;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use fsm_runtime::{Builder, Connection, Drive, Machine, Peer, Pool, Target, TlsClient, TlsServer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::Serving;

pub use unchecked::unchecked;

// No doc comment, because clap would take it for the description of the program.
#[expect(missing_docs, reason = "see above")]
#[derive(Args, Clone, Debug)]
pub struct Certificate {
    /// The certificates of the server as a PEM file, its own first. SIGHUP reads the files again
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of the server as a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// The authorities of clients, as a PEM file: only clients with a certificate of one of them are served
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_client_ca: Option<PathBuf>,
}

impl Certificate {
    /// The settings of a server with the certificates that were named; `None` if none were. From now on SIGHUP
    /// reads the files again: what is wrong with them then is logged, and the certificates stay as they are.
    ///
    /// `protocols` are those that the server speaks, as ALPN names them.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the files.
    pub fn server(&self, protocols: &[&str]) -> Result<Option<TlsServer>, Box<dyn Error>> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        let files = Files {
            certificate: certificate.clone(),
            key: key.clone(),
            client_authorities: self.tls_client_ca.clone(),
            protocols: protocols.iter().map(|name| name.as_bytes().to_vec()).collect(),
        };
        let server = TlsServer::new(files.read()?);
        reload_on_hangup(server.clone(), files)?;
        Ok(Some(server))
    }
}

/// How the servers of targets like `tls:HOST:PORT` are checked.
#[derive(Args, Clone, Debug)]
pub struct Trust {
    /// The authorities that certificates of servers must be from, as a PEM file; by default those that this
    /// system trusts
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
}

impl Trust {
    /// The settings of a client that trusts the authorities that were named.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the file, or that the system trusts nobody.
    pub fn client(&self) -> Result<TlsClient, Box<dyn Error>> {
        let roots = if let Some(file) = &self.tls_ca {
            authorities(file)?
        } else {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err("this system trusts no authority; name one with `--tls-ca`".into());
            }
            roots
        };
        let config = ClientConfig::builder().with_root_certificates(roots);
        Ok(TlsClient::new(config.with_no_client_auth()))
    }

    /// The same, if one of the targets needs it.
    ///
    /// # Errors
    ///
    /// As of [`client`](Self::client).
    pub fn client_of(&self, targets: &[Target]) -> Result<Option<TlsClient>, Box<dyn Error>> {
        let encrypts = targets.iter().any(|target| matches!(target, Target::Tls(_)));
        encrypts.then(|| self.client()).transpose()
    }
}

/// A pool with what it needs for its addresses, in which no connection has room for TLS if none can use it.
///
/// With `server` those of `serving` are for clients that use TLS, and without it for others. With `client` the
/// pool can connect with TLS.
pub fn pool<M, H, const PORT: u16>(
    serving: &Serving<PORT>,
    builder: Builder<M>,
    server: Option<TlsServer>,
    client: Option<TlsClient>,
    handler: impl FnMut(Peer) -> H + Send + 'static,
) -> Pool
where
    M: Machine<Seed = (), Kind = Connection> + Drive<H>,
    H: Send + 'static,
{
    let builder = match (server, client) {
        (None, None) => return serving.pool(builder).handler(handler),
        (None, Some(client)) => serving.plain_pool(builder.tls_client(client)),
        (Some(server), None) => serving.pool(builder.tls(server)),
        (Some(server), Some(client)) => serving.pool(builder.tls(server).and_tls_client(client)),
    };
    builder.handler(handler)
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
    client_authorities: Option<PathBuf>,
    protocols: Vec<Vec<u8>>,
}

impl Files {
    fn read(&self) -> Result<ServerConfig, Box<dyn Error>> {
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| format!("cannot use the key {}: {error}", self.key.display()))?;
        let config = ServerConfig::builder();
        let config = match &self.client_authorities {
            None => config.with_no_client_auth(),
            Some(file) => {
                let roots = Arc::new(authorities(file)?);
                config.with_client_cert_verifier(WebPkiClientVerifier::builder(roots).build()?)
            }
        };
        let mut config = config.with_single_cert(chain, key)?;
        config.alpn_protocols.clone_from(&self.protocols);
        // The clients keep their sessions, and the server has no memory of them.
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        Ok(config)
    }
}

/// The authorities in a PEM file.
///
/// # Errors
///
/// Says what is wrong with the file.
pub fn authorities(file: &Path) -> Result<RootCertStore, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate)?;
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Box<dyn Error>> {
    let unusable = |error| format!("cannot use the certificates {}: {error}", file.display());
    let all = CertificateDer::pem_file_iter(file).map_err(unusable)?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(unusable)?;
    if all.is_empty() {
        return Err(format!("{} has no certificate", file.display()).into());
    }
    Ok(all)
}

#[cfg(unix)]
fn reload_on_hangup(server: TlsServer, files: Files) -> std::io::Result<()> {
    let mut hangups = signal_hook::iterator::Signals::new([signal_hook::consts::SIGHUP])?;
    std::thread::Builder::new().name("certificates".to_owned()).spawn(move || {
        for _ in &mut hangups {
            match files.read() {
                Ok(config) => {
                    server.replace(config);
                    tracing::info!("the certificates were read again");
                }
                Err(error) => {
                    tracing::error!(%error, "the certificates stay as they are");
                }
            }
        }
    })?;
    Ok(())
}

#[cfg(not(unix))]
fn reload_on_hangup(_: TlsServer, _: Files) -> std::io::Result<()> {
    Ok(())
}

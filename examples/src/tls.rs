//! Certificates from files.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use clap::Args;
use fsm_runtime::TlsServer;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

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
    thread::Builder::new().name("certificates".to_owned()).spawn(move || {
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

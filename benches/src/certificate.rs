//! A certificate of the lab's own, for the servers that use TLS.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::generate_simple_self_signed;
use rustls::client::Resumption;
use rustls::crypto::ring::Ticketer;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::error::Error;
use crate::lab::Lab;

/// The name that the certificate is for.
pub(crate) const NAME: &str = "localhost";
/// The variable that names the directory of the files.
pub(crate) const DIRECTORY: &str = "BENCHES_CERTIFICATE";

/// The files of a certificate, whose key is a P-256 one, and of its key.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) directory: PathBuf,
}

impl Certificate {
    /// Makes the certificate, unless an earlier figure has.
    pub(crate) fn of(lab: &Lab) -> Result<Self, Error> {
        let certificate = Self { directory: lab.scratch_file("certificate") };
        if certificate.chain().is_file() {
            return Ok(certificate);
        }
        let made = generate_simple_self_signed([NAME.to_owned()]).map_err(Error::because)?;
        fs::create_dir_all(&certificate.directory)?;
        fs::write(certificate.key(), made.signing_key.serialize_pem())?;
        fs::write(certificate.chain(), made.cert.pem())?;
        Ok(certificate)
    }

    /// The one that the lab has named to this server.
    fn named() -> Result<Self, Error> {
        let directory = std::env::var_os(DIRECTORY);
        let directory = directory.ok_or_else(|| Error::failed(format!("no `{DIRECTORY}`")))?;
        Ok(Self { directory: directory.into() })
    }

    pub(crate) fn chain(&self) -> PathBuf {
        self.directory.join("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.directory.join("key.pem")
    }

    /// The settings of a client that trusts the certificate and resumes no session.
    pub(crate) fn client(&self) -> Result<Arc<ClientConfig>, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(read(&self.chain())?).map_err(Error::because)?;
        let config = ClientConfig::builder().with_root_certificates(roots);
        let mut config = config.with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }

    /// The settings of a server that keeps no sessions in memory.
    pub(crate) fn server(&self) -> Result<ServerConfig, Error> {
        let key = PrivateKeyDer::from_pem_file(self.key()).map_err(Error::because)?;
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![read(&self.chain())?], key);
        let mut config = config.map_err(Error::because)?;
        config.ticketer = Ticketer::new().map_err(Error::because)?;
        Ok(config)
    }
}

/// The settings of this server, with the certificate that the lab has named.
pub(crate) fn server_config() -> Result<ServerConfig, Error> {
    Certificate::named()?.server()
}

fn read(file: &Path) -> Result<CertificateDer<'static>, Error> {
    CertificateDer::from_pem_file(file).map_err(Error::because)
}

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fsm_tests::TempDir;
use rcgen::{CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// An authority for one test, with a directory of certificates.
pub(crate) struct Authority {
    files: TempDir,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// The files of a certificate and its key.
pub(crate) struct Identity {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) certificate: CertificateDer<'static>,
}

/// The names of a server on this machine.
pub(crate) const HERE: &[&str] = &["localhost", "127.0.0.1"];

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("an authority of a test")
    }

    pub(crate) fn named(name: &str) -> Self {
        let files = TempDir::new("authority");
        let mut params = params(&[], name);
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        files.write("ca.pem", certificate.pem());
        Self { files, certificate: certificate.into(), issuer: Issuer::new(params, key) }
    }

    /// The file of its own certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.files.path().join("ca.pem")
    }

    pub(crate) fn directory(&self) -> &Path {
        self.files.path()
    }

    /// A certificate for a server on this machine.
    pub(crate) fn here(&self) -> Identity {
        self.issue(HERE)
    }

    /// A certificate for these names, in place of an earlier one for the first of them.
    pub(crate) fn issue(&self, names: &[&str]) -> Identity {
        self.sign(&params(names, names[0]), names[0])
    }

    /// A certificate of the past.
    pub(crate) fn expired(&self) -> Identity {
        let mut params = params(HERE, "an old server");
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        self.sign(&params, "expired")
    }

    fn sign(&self, params: &CertificateParams, name: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let chain = self.files.write(&format!("{name}.pem"), certificate.pem());
        let key = self.files.write(&format!("{name}.key"), key.serialize_pem());
        Identity { chain, key, certificate: certificate.into() }
    }

    /// The settings of a client that trusts it.
    pub(crate) fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("an authority");
        Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    }
}

fn params(names: &[&str], subject: &str) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name.push(DnType::CommonName, subject);
    params
}

impl Identity {
    /// The options of an example that serves with it.
    pub(crate) fn options(&self) -> [&str; 4] {
        ["--tls-cert", text(&self.chain), "--tls-key", text(&self.key)]
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

//! An authority for one test, and configurations with its certificates.

use std::sync::Arc;

use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

pub(crate) struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().into();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// A certificate for this name, with its key.
    pub(crate) fn issue(&self, name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().into();
        (certificate, PrivatePkcs8KeyDer::from(key.serialize_der()).into())
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        roots
    }
}

pub(crate) fn server_config(authority: &Authority, name: &str) -> ServerConfig {
    let (certificate, key) = authority.issue(name);
    let config = ServerConfig::builder().with_no_client_auth();
    config.with_single_cert(vec![certificate], key).unwrap()
}

/// A server that asks its clients for certificates of the same authority.
pub(crate) fn server_that_asks(authority: &Authority, name: &str) -> ServerConfig {
    let (certificate, key) = authority.issue(name);
    let verifier = WebPkiClientVerifier::builder(Arc::new(authority.roots())).build().unwrap();
    let config = ServerConfig::builder().with_client_cert_verifier(verifier);
    config.with_single_cert(vec![certificate], key).unwrap()
}

pub(crate) fn client_config(authority: &Authority) -> ClientConfig {
    ClientConfig::builder().with_root_certificates(authority.roots()).with_no_client_auth()
}

pub(crate) fn client_with_certificate(authority: &Authority) -> ClientConfig {
    let (certificate, key) = authority.issue("somebody");
    let config = ClientConfig::builder().with_root_certificates(authority.roots());
    config.with_client_auth_cert(vec![certificate], key).unwrap()
}

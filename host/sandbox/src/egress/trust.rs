//! Whose certificates are trusted: the web's authorities, the operator's, and at one endpoint the installer's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// Sets of installers' authorities that are kept ready. Over it all are read again when they are next used.
const KEPT_MAX: usize = 256;
/// Certificates in one such set. Over it the endpoint cannot be used.
const CERTIFICATES_MAX: usize = 100;

/// SHA-256 of the PEM text.
pub(crate) type TrustId = [u8; 32];

/// A set of trusted authorities.
#[derive(Clone)]
pub(crate) struct Trust {
    pub connector: TlsConnector,
    /// None: the web's and the operator's, and nobody else's.
    pub id: Option<TrustId>,
}

pub(crate) struct Trusts {
    /// The web's and the operator's.
    roots: RootCertStore,
    common: TlsConnector,
    kept: Mutex<HashMap<TrustId, TlsConnector>>,
}

impl Trusts {
    /// `authorities`: the operator's, DER.
    pub fn new(authorities: &[Vec<u8>]) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
        for authority in authorities {
            roots.add(authority.clone().into())?;
        }
        let common = connector(roots.clone())?;
        Ok(Self { roots, common, kept: Mutex::default() })
    }

    pub fn common(&self) -> Trust {
        Trust { connector: self.common.clone(), id: None }
    }

    /// The same with the authorities of this PEM text. Err: why it cannot be read.
    pub fn with(&self, pem: &str) -> Result<Trust, String> {
        let mut id = TrustId::default();
        id.copy_from_slice(digest(&SHA256, pem.as_bytes()).as_ref());
        let known = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        let connector = match known {
            Some(connector) => connector,
            None => self.read(pem)?,
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(id, connector.clone());
        Ok(Trust { connector, id: Some(id) })
    }

    fn read(&self, pem: &str) -> Result<TlsConnector, String> {
        let mut roots = self.roots.clone();
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| format!("it is not PEM: {error}"))?;
            roots
                .add(certificate)
                .map_err(|error| format!("certificate {}: {error}", roots.len() - before + 1))?;
            if roots.len() - before > CERTIFICATES_MAX {
                return Err(format!("it has more than {CERTIFICATES_MAX} certificates"));
            }
        }
        if roots.len() == before {
            return Err("it has no certificate (-----BEGIN CERTIFICATE-----)".to_owned());
        }
        connector(roots).map_err(|error| error.to_string())
    }
}

/// Sessions are not resumed: a ticket would be shared between tenants.
fn connector(roots: RootCertStore) -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What an installer can do about a refused certificate. `host`: whose it is; `key`: what the endpoint is called.
pub(crate) fn certificate_hint(host: &str, key: &str, error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            format!("the certificate of {host} is not trusted; add its authority: endpoints.{key}.ca")
        }
        other => format!("the certificate of {host} is not accepted: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_certificate_is_told() {
        let trusts = Trusts::new(&[]).unwrap();
        let reason = |pem: &str| trusts.with(pem).err().unwrap();
        assert_eq!(reason(""), "it has no certificate (-----BEGIN CERTIFICATE-----)");
        assert_eq!(reason("hello"), "it has no certificate (-----BEGIN CERTIFICATE-----)");
        let begun = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        assert!(reason(begun).starts_with("it is not PEM: "), "{}", reason(begun));
        let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(reason(other).starts_with("certificate 1: "), "{}", reason(other));
    }
}

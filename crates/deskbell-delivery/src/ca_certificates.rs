//! `ca_certificates`: certificate authorities that are trusted beside the well-known ones.

use deskbell_config::FileText;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A PEM file of certificate authorities, which was read with the config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CaCertificates(FileText);

impl CaCertificates {
    /// The authorities of a file.
    ///
    /// # Errors
    /// There is none in it, or one that is no PEM.
    pub fn new(file: FileText) -> Result<Self, NoCertificates> {
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(file.text.as_bytes()).collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => Ok(Self(file)),
            _ => Err(NoCertificates(file.file.display().to_string())),
        }
    }

    pub(crate) fn pem(&self) -> &[u8] {
        self.0.text.as_bytes()
    }

    pub(crate) fn certificates(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        // Each was read before.
        CertificateDer::pem_slice_iter(self.pem()).filter_map(Result::ok)
    }
}

/// A file that has no certificates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected certificates (PEM) in {0}, found none")]
pub struct NoCertificates(String);

impl<'de> Deserialize<'de> for CaCertificates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(FileText::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

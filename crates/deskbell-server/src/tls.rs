//! HTTPS by ourselves: the certificate and its key, read again when their files change.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;

/// How often it is looked whether the files have changed.
const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// The certificate of a server that speaks HTTPS by itself. Both files are read again when they
/// change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The file with the certificate, and those between it and a root, in PEM. A relative path
    /// begins at the config file.
    pub cert: PathBuf,
    /// The file with its private key, in PEM.
    pub key: PathBuf,
}

/// Files that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read the {what} {}", .file.display())]
    Unreadable { what: &'static str, file: PathBuf, source: io::Error },
    #[error("{} contains no {what} in PEM format", .file.display())]
    Malformed { what: &'static str, file: PathBuf, source: pem::Error },
    /// The certificate is not one for this key, or neither is of a kind that we can use.
    #[error("the certificate {} and the private key {} do not belong together", .files.cert.display(), .files.key.display())]
    Unusable { files: TlsConfig, source: rustls::Error },
}

/// The certificate that connections are served with.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    files: TlsConfig,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`]: a file cannot be read or used, and which.
    pub fn open(files: TlsConfig) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let unusable = |source| TlsError::Unusable { files: files.clone(), source };
        let (key, mark) = read(&files, &provider)?;
        let current = Arc::new(Current(RwLock::new((Arc::new(key), mark))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(Inner { files, current, config: Arc::new(config) })))
    }

    /// Reads the files again: new connections get what is in them. Whether that is something else
    /// than before.
    ///
    /// # Errors
    /// As [`open`](Self::open); what was read before stays in use.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let (key, mark) = read(&self.0.files, self.0.config.crypto_provider())?;
        let mut current = self.0.current.0.write().unwrap_or_else(PoisonError::into_inner);
        if current.1 == mark {
            return Ok(false);
        }
        *current = (Arc::new(key), mark);
        drop(current);
        tracing::info!(cert = %self.0.files.cert.display(), "loaded a new certificate");
        Ok(true)
    }

    /// Reads the files again whenever they change.
    pub(crate) async fn watch(&self) {
        let (mut last, mut reported) = (None, None);
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            let tls = self.clone();
            let Ok(reloaded) = spawn_blocking(move || tls.reload()).await else { continue };
            let failure = reloaded.err().map(|error| chain(&error));
            // At the first look one file may be new and the other one about to be.
            let is_lasting = failure.is_some() && failure == last;
            if is_lasting && failure != reported {
                tracing::error!(
                    error = failure.as_deref(),
                    "cannot use the changed certificate; the previous one stays in use"
                );
                reported.clone_from(&failure);
            }
            last = failure;
        }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.config))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.0.files).finish_non_exhaustive()
    }
}

/// What new connections get, with a mark of the files' bytes.
struct Current(RwLock<(Arc<CertifiedKey>, u64)>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).0))
    }
}

fn read(files: &TlsConfig, provider: &CryptoProvider) -> Result<(CertifiedKey, u64), TlsError> {
    let certificate = bytes_of(&files.cert, "certificate")?;
    let key = bytes_of(&files.key, "private key")?;
    let mut mark = DefaultHasher::new();
    (&certificate, &key).hash(&mut mark);
    let malformed = |what, file: &Path| {
        let file = file.to_owned();
        move |source| TlsError::Malformed { what, file, source }
    };
    let chain = CertificateDer::pem_slice_iter(&certificate).collect::<Result<Vec<_>, _>>();
    let chain = chain
        .and_then(|chain| if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) })
        .map_err(malformed("certificate", &files.cert))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(malformed("private key", &files.key))?;
    let key = CertifiedKey::from_der(chain, key, provider)
        .map_err(|source| TlsError::Unusable { files: files.clone(), source })?;
    Ok((key, mark.finish()))
}

fn bytes_of(file: &Path, what: &'static str) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|source| TlsError::Unreadable {
        what,
        file: file.to_owned(),
        source,
    })
}

/// The error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

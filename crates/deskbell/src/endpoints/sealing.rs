//! Encrypting the secrets of endpoints, so that whoever reads the database or a backup of it does not
//! have them.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use deskbell_store::{StoreLocation, private_file};
use rand::Rng;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

use crate::config::{Config, key_file};

/// The first byte of what is sealed, so that another way can follow.
const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;

/// The key that secrets are encrypted with.
#[derive(Clone)]
pub(crate) struct SealingKey([u8; KEY_BYTES]);

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the key file {path}")]
pub(crate) struct KeyError {
    path: String,
    source: io::Error,
}

/// What was sealed with another key, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its secrets cannot be decrypted: they were encrypted with another key")]
pub(crate) struct CannotOpen;

/// Secrets that could not be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its secrets cannot be encrypted: they are too long")]
pub(crate) struct CannotSeal;

impl SealingKey {
    /// From a text of the config, of which only the hash is used.
    pub(crate) fn of_text(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// From the file; `None` where there is none.
    fn of_file(path: &Path) -> Result<Option<Self>, KeyError> {
        let failed = |source| KeyError { path: path.display().to_string(), source };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        private_file::close_to_others(path).map_err(failed)?;
        if text.trim().len() < KEY_BYTES {
            let error = "expected at least 32 characters; restore it from a backup";
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, error)));
        }
        Ok(Some(Self::of_text(text.trim())))
    }

    /// From the file, which is created with a random key where there is none. It appears whole: a
    /// process that is killed leaves no part of a key under this name.
    fn of_new_file(path: &Path) -> Result<Self, KeyError> {
        if let Some(key) = Self::of_file(path)? {
            return Ok(key);
        }
        let failed = |source| KeyError { path: path.display().to_string(), source };
        let text = hex::encode(rand::rng().random::<[u8; KEY_BYTES]>());
        let written = path.with_added_extension(&text[..16]);
        let write = || {
            let mut file = private_file::options().write(true).create_new(true).open(&written)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::hard_link(&written, path)
        };
        let linked = write();
        // What is left of it has no use, and no key.
        let _ = fs::remove_file(&written);
        match linked {
            Ok(()) => sync_directory(path).map_err(failed)?,
            // Another process was faster: its key is the one.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        Self::of_file(path)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
    }

    /// Encrypts `secret`, which can be read again only for the same `owner`.
    pub(crate) fn seal(&self, owner: &str, secret: &[u8]) -> Result<Vec<u8>, CannotSeal> {
        let nonce: [u8; NONCE_LEN] = rand::rng().random();
        let mut sealed = secret.to_vec();
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        let key = self.key().ok_or(CannotSeal)?;
        let encrypted =
            key.seal_in_place_append_tag(nonce_used, Aad::from(owner.as_bytes()), &mut sealed);
        encrypted.map_err(|_| CannotSeal)?;
        Ok([&[VERSION][..], &nonce, &sealed].concat())
    }

    pub(crate) fn open(&self, owner: &str, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (version, rest) = sealed.split_first().ok_or(CannotOpen)?;
        let (nonce, rest) = rest.split_at_checked(NONCE_LEN).ok_or(CannotOpen)?;
        if *version != VERSION {
            return Err(CannotOpen);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CannotOpen)?;
        let mut opened = rest.to_vec();
        let key = self.key().ok_or(CannotOpen)?;
        let secret = key.open_in_place(nonce, Aad::from(owner.as_bytes()), &mut opened);
        Ok(secret.map_err(|_| CannotOpen)?.to_vec())
    }

    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.0).ok().map(LessSafeKey::new)
    }
}

/// Where the key comes from.
#[derive(Debug, Clone)]
pub(crate) enum KeySource {
    /// The config, or the environment.
    Given(SealingKey),
    /// A file beside the event log, which is made when it is first needed.
    File(PathBuf),
    /// The log's server has no place for a file that all processes read.
    Nowhere,
}

impl KeySource {
    pub(crate) fn of(config: &Config) -> Self {
        if let Some(text) = &config.endpoints.secret_key {
            return Self::Given(SealingKey::of_text(text.expose()));
        }
        match config.store.location() {
            StoreLocation::Sqlite(path) => Self::File(key_file(&path)),
            StoreLocation::Postgres(_) => Self::Nowhere,
        }
    }

    /// The key that was used so far; `None` if there is none.
    pub(super) fn existing(&self) -> Result<Option<SealingKey>, KeyError> {
        match self {
            Self::Given(key) => Ok(Some(key.clone())),
            Self::File(path) => SealingKey::of_file(path),
            Self::Nowhere => Ok(None),
        }
    }

    /// The key, which is created where it can be; `None` if there is nowhere to have one from.
    pub(crate) fn key(&self) -> Result<Option<SealingKey>, KeyError> {
        match self {
            Self::File(path) => SealingKey::of_new_file(path).map(Some),
            Self::Given(_) | Self::Nowhere => self.existing(),
        }
    }

    /// What to do where there is no key, and something is encrypted.
    pub(super) fn how_to_restore(&self) -> String {
        match self {
            Self::File(path) => format!("restore {} from a backup", path.display()),
            Self::Given(_) | Self::Nowhere => "set DESKBELL_SECRET_KEY".to_owned(),
        }
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(redacted)")
    }
}

/// Makes the file's name durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    fs::File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_for_the_same_owner_alone() {
        let key = SealingKey::of_text("0123456789abcdef0123456789abcdef");
        let sealed = key.seal("ep_1", b"whsec_secret").unwrap();
        assert_eq!(key.open("ep_1", &sealed).unwrap(), b"whsec_secret");
        assert!(!sealed.windows(6).any(|part| part == b"secret"), "it does not show");
        assert_ne!(sealed, key.seal("ep_1", b"whsec_secret").unwrap(), "no two are the same");
        assert_eq!(key.open("ep_2", &sealed), Err(CannotOpen));
        let other = SealingKey::of_text("another key of more than 32 characters");
        assert_eq!(other.open("ep_1", &sealed), Err(CannotOpen));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open("ep_1", &changed), Err(CannotOpen), "byte {at}");
            assert_eq!(key.open("ep_1", &sealed[..at]), Err(CannotOpen), "cut at {at}");
        }
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deskbell.db.key");
        let source = KeySource::File(path.clone());
        assert!(source.existing().unwrap().is_none());
        assert!(!path.exists(), "looking for it does not make it");
        let sealed = source.key().unwrap().unwrap().seal("ep_1", b"secret").unwrap();
        for again in [source.existing(), source.key()] {
            assert_eq!(again.unwrap().unwrap().open("ep_1", &sealed).unwrap(), b"secret");
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "short").unwrap();
        assert!(source.key().is_err());
    }

    #[test]
    fn processes_that_make_the_file_at_once_have_one_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deskbell.db.key");
        let barrier = std::sync::Barrier::new(8);
        let seal = || {
            barrier.wait();
            SealingKey::of_new_file(&path).unwrap().seal("ep_1", b"secret").unwrap()
        };
        let sealed: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(seal)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let key = SealingKey::of_file(&path).unwrap().unwrap();
        assert!(sealed.iter().all(|sealed| key.open("ep_1", sealed).is_ok()));
    }
}

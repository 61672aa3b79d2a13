//! One process writes to a store at a time: a lock on a file beside the database says which.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// Held while the store is open; the system lets go of it however the process ends.
#[derive(Debug)]
pub(super) struct FileLock(#[expect(dead_code, reason = "held for its lock")] File);

/// The lock could not be taken.
#[derive(Debug)]
pub(super) enum LockError {
    /// Another process has it.
    Held,
    /// The file could not be made or locked.
    Io(std::io::Error),
}

impl FileLock {
    pub(super) fn take(database: &Path) -> Result<Self, LockError> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(lock_path(database))
            .map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(LockError::Held),
            Err(TryLockError::Error(error)) => Err(LockError::Io(error)),
        }
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

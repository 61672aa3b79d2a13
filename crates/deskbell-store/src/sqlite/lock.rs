//! One process writes to a store at a time: a lock on a file beside the database says which.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::files::beside;
use crate::private_file;

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
        let lock = beside(database, ".lock");
        let file = private_file::options().create(true).truncate(false).write(true).open(lock);
        let file = file.map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(LockError::Held),
            Err(TryLockError::Error(error)) => Err(LockError::Io(error)),
        }
    }
}

//! Backup: a consistent copy of the log's file, also while another process has it open.

use std::fs::File;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::open::{self, BUSY_TIMEOUT, SqliteOpenError};
use super::{SqliteStore, event_log};
use crate::{BackendError, Seq, private_file};

/// A copy that was made and has reached the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// The copy's size.
    pub bytes: u64,
    /// The last event in it.
    pub last: Seq,
}

/// A copy that was not made. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The log could not be opened.
    #[error(transparent)]
    Open(#[from] SqliteOpenError),
    /// There is a file already, which may be another backup.
    #[error("{} already exists; choose another name, or delete it first", .path.display())]
    Exists { path: PathBuf },
    #[error("{} cannot be written", .path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("cannot copy the event log to {}", .path.display())]
    Database { path: PathBuf, source: BackendError },
}

impl SqliteStore {
    /// Copies the store in this file to a new one, as it is at one moment: with all that was
    /// acknowledged before. Whoever has it open goes on writing meanwhile.
    ///
    /// # Errors
    /// [`BackupError`]: there is no store, `to` is there already, or it could not be written.
    pub async fn backup(from: &Path, to: &Path) -> Result<Backup, BackupError> {
        open::require_this_version(from).await?;
        let file =
            private_file::options().write(true).create_new(true).open(to).map_err(|source| {
                let path = to.to_owned();
                match source.kind() {
                    std::io::ErrorKind::AlreadyExists => BackupError::Exists { path },
                    _ => BackupError::Io { path, source },
                }
            })?;
        let made = copy(from, to, &file).await;
        if made.is_err() {
            // An incomplete copy would be taken for a whole one some day.
            let _ = std::fs::remove_file(to);
        }
        made
    }
}

async fn copy(from: &Path, to: &Path, file: &File) -> Result<Backup, BackupError> {
    let io = |source| BackupError::Io { path: to.to_owned(), source };
    let last = vacuum_into(from, to).await.map_err(|error| BackupError::Database {
        path: to.to_owned(),
        source: BackendError::new(error),
    })?;
    file.sync_all().map_err(io)?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new("."))).and_then(|it| it.sync_all()).map_err(io)?;
    Ok(Backup { bytes: file.metadata().map_err(io)?.len(), last })
}

/// One read transaction: what is written meanwhile stays in the write-ahead log.
async fn vacuum_into(from: &Path, to: &Path) -> Result<Seq, sqlx::Error> {
    // The process that has the store open copies the write-ahead log; this one keeps off.
    let options = SqliteConnectOptions::new()
        .filename(from)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("wal_autocheckpoint", "0");
    let mut connection = options.connect().await?;
    let name = to
        .to_str()
        .ok_or_else(|| sqlx::Error::Configuration("the name of the copy is not UTF-8".into()))?;
    sqlx::query("VACUUM INTO ?1").bind(name).execute(&mut connection).await?;
    connection.close().await?;
    let mut copied = SqliteConnectOptions::new().filename(to).read_only(true).connect().await?;
    let last = event_log::head(&mut copied).await?;
    copied.close().await?;
    Ok(last)
}

//! The store's files: that those which are written stand at the store's path, and that nobody else
//! reads them.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::private_file;

/// The database and its write-ahead log as they were when they were opened. The files are only looked
/// at by name: to open and close one again in this process would drop SQLite's locks on it.
#[derive(Debug)]
pub(super) struct OpenFiles {
    path: PathBuf,
    database: Option<Identity>,
    write_ahead_log: Option<Identity>,
    /// Whether it was logged that they are gone.
    is_logged: bool,
}

/// The device and the inode.
type Identity = (u64, u64);

impl OpenFiles {
    /// The files of the connection that has just been opened.
    pub(super) fn of(path: &Path) -> Self {
        let mut files =
            Self { path: path.to_owned(), database: None, write_ahead_log: None, is_logged: false };
        files.database = identity(path);
        files.look_at_write_ahead_log();
        files
    }

    /// The connection was opened again.
    pub(super) fn look_at_write_ahead_log(&mut self) {
        self.write_ahead_log = identity(&beside(&self.path, "-wal"));
    }

    /// Refuses where other files stand at the path, or none: what was written to those that were
    /// opened would be gone with the process.
    pub(super) fn check(&mut self) -> io::Result<()> {
        let is_database = self.database == identity(&self.path);
        let wal = beside(&self.path, "-wal");
        let moved = match (is_database, self.write_ahead_log == identity(&wal)) {
            (true, true) => {
                self.is_logged = false;
                return Ok(());
            }
            (true, false) => &wal,
            (false, _) => &self.path,
        };
        let moved = moved.display();
        if !self.is_logged {
            self.is_logged = true;
            tracing::error!(
                "{moved} was moved or replaced while open; no event is acknowledged until it is \
                 back; stop deskbell before you move its log"
            );
        }
        Err(io::Error::other(format!("{moved} was moved or replaced while open")))
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;

    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Elsewhere a file that is open cannot be moved.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<Identity> {
    None
}

/// Before SQLite opens them: makes the database where there is none, and takes what is there away from
/// others. The other files get the database's rights from SQLite.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    private_file::create(path)?;
    for name in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm"), beside(path, ".lock")]
    {
        private_file::close_to_others(&name)?;
    }
    Ok(())
}

/// The file beside the database whose name ends in this.
pub(super) fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name: OsString = database.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::sqlite::writer::tests::event;
    use crate::{EventLog, Seq, SqliteStore, Store};

    async fn opened() -> (tempfile::TempDir, PathBuf, SqliteStore) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deskbell.db");
        let store = SqliteStore::open(&path).await.unwrap();
        store.append(&[event(1, 10)]).await.unwrap();
        (directory, path, store)
    }

    #[tokio::test]
    async fn nothing_is_acknowledged_into_a_file_that_was_moved_until_it_is_back() {
        for end in ["", "-wal"] {
            let (_directory, path, store) = opened().await;
            let (file, away) = (beside(&path, end), beside(&path, ".away"));
            std::fs::rename(&file, &away).unwrap();
            store.append(&[event(2, 10)]).await.unwrap_err();
            store.check_writable().await.unwrap_err();
            // Another file in its place is none either.
            std::fs::copy(&away, &file).unwrap();
            let error = store.append(&[event(2, 10)]).await.unwrap_err();
            assert!(format!("{error:?}").contains("moved or replaced"), "{error:?}");
            std::fs::rename(&away, &file).unwrap();
            let seqs = store.append(&[event(2, 10), event(3, 10)]).await.unwrap();
            assert_eq!(seqs.iter().map(|it| it.seq()).max(), Some(Seq::new(3)), "{end}");
            store.check_writable().await.unwrap();
            store.close().await;
        }
    }

    #[tokio::test]
    async fn only_the_owner_reads_them() {
        let (_directory, path, store) = opened().await;
        let copy = beside(&path, ".backup");
        SqliteStore::backup(&path, &copy).await.unwrap();
        let mode = |file: &Path| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
        for end in ["", "-wal", "-shm", ".lock", ".backup"] {
            assert_eq!(mode(&beside(&path, end)), 0o600, "{end}");
        }
        store.close().await;
        // A file from before, which the group may read.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let store = SqliteStore::open(&path).await.unwrap();
        assert_eq!(mode(&path), 0o640);
        store.close().await;
    }
}

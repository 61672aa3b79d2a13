//! The socket that the driver connects to, in a directory that only this user can enter.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use tempfile::TempDir;

const PREFIX: &str = "deskbell-relay-";
/// A longer path is refused by some systems; another directory is tried then.
const PATH_BYTES_MAX: usize = 100;
/// A directory is there for as long as the driver takes to connect, ten seconds at most. One that
/// is older by so much than a new one was left by a crash, and is removed.
const STALE_AFTER: Duration = Duration::from_secs(600);

/// Listens where the driver looks, for a server at this port. The socket goes with the directory.
pub(super) fn open(port: u16) -> io::Result<(UnixListener, TempDir)> {
    // A container that may write nowhere has shared memory all the same.
    let bases = [std::env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/dev/shm")];
    let mut refused = None;
    for base in &bases {
        match open_in(base, port) {
            Ok(opened) => {
                static SWEPT: Once = Once::new();
                SWEPT.call_once(|| remove_stale(base, opened.1.path()));
                return Ok(opened);
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}

fn open_in(base: &Path, port: u16) -> io::Result<(UnixListener, TempDir)> {
    let mut directory = tempfile::Builder::new();
    let directory = directory.prefix(PREFIX).permissions(Permissions::from_mode(0o700));
    let directory = directory.tempdir_in(base)?;
    let path = directory.path().join(format!(".s.PGSQL.{port}"));
    if path.as_os_str().len() > PATH_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidFilename,
            format!("{} is too long for the path of a socket", path.display()),
        ));
    }
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok((listener, directory))
}

/// Removes what a crash has left. Anybody may write to such a directory: links are not followed, and
/// what is somebody else's is left alone.
fn remove_stale(base: &Path, new: &Path) {
    let (Ok(entries), Ok(new)) = (fs::read_dir(base), fs::symlink_metadata(new)) else { return };
    for entry in entries.flatten() {
        let is_named = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
        if is_named && entry.metadata().is_ok_and(|found| is_stale(&found, &new)) {
            // It does not follow links either, should the directory become one meanwhile.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_stale(found: &Metadata, new: &Metadata) -> bool {
    let age = match (new.modified(), found.modified()) {
        (Ok(new), Ok(found)) => new.duration_since(found).unwrap_or_default(),
        _ => Duration::ZERO,
    };
    found.is_dir() && found.uid() == new.uid() && age > STALE_AFTER
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nobody_else_can_enter_and_nothing_is_left() {
        let base = tempfile::tempdir().unwrap();
        let (listener, directory) = open_in(base.path(), 5432).unwrap();
        let mode = fs::metadata(directory.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(directory.path().join(".s.PGSQL.5432").exists());
        drop((listener, directory));
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_path_that_is_too_long_is_refused_and_nothing_is_left() {
        let base = tempfile::tempdir().unwrap();
        let long = base.path().join("x".repeat(PATH_BYTES_MAX));
        fs::create_dir(&long).unwrap();
        let refused = open_in(&long, 5432).unwrap_err();
        assert!(refused.to_string().contains("too long"), "{refused}");
        assert_eq!(fs::read_dir(&long).unwrap().count(), 0);
    }

    #[test]
    fn what_a_crash_left_is_removed_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let (_listener, new) = open_in(base.path(), 5432).unwrap();
        let at = |name: &str| base.path().join(name);
        let old = fs::symlink_metadata(new.path()).unwrap().modified().unwrap() - STALE_AFTER * 2;
        let age = |path: &Path| File::open(path).unwrap().set_modified(old).unwrap();
        for name in ["deskbell-relay-old", "deskbell-relay-recent", "others"] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join(".s.PGSQL.5432"), "").unwrap();
        }
        symlink(at("others"), at("deskbell-relay-link")).unwrap();
        // A link in a stale directory goes; what it leads to does not.
        symlink(at("others"), at("deskbell-relay-old").join("link")).unwrap();
        age(&at("deskbell-relay-old"));
        age(&at("others"));
        fs::write(at("deskbell-relay-file"), "").unwrap();
        age(&at("deskbell-relay-file"));

        remove_stale(base.path(), new.path());
        assert!(!at("deskbell-relay-old").exists());
        for kept in ["deskbell-relay-recent", "deskbell-relay-link", "deskbell-relay-file"] {
            assert!(at(kept).exists(), "{kept}");
        }
        assert!(at("others").join(".s.PGSQL.5432").exists());
        assert!(new.path().exists());
    }
}

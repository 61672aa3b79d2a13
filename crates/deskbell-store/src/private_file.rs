//! Files that hold what only their owner should read: one-time codes, personal data, secrets.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// What others, neither the owner nor the group, may do with a file.
#[cfg(unix)]
const OTHERS: u32 = 0o007;

/// Options to make a file that its owner alone may read and write, whatever the umask.
#[must_use]
pub fn options() -> OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the file, empty, where there is none. One that is there stays as it is.
///
/// # Errors
/// The file could not be made.
pub fn create(path: &Path) -> io::Result<()> {
    match options().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// Takes a file away from others than its owner and its group, if there is one.
///
/// # Errors
/// Its rights could not be changed.
#[cfg(unix)]
pub fn close_to_others(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let mode = match std::fs::metadata(path) {
        Ok(file) => file.permissions().mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if mode & OTHERS == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & !OTHERS))
}

/// Takes a file away from others than its owner and its group, where the system knows these.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn close_to_others(_: &Path) -> io::Result<()> {
    Ok(())
}

//! Writing new files: all of them, or none.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use tempfile::{NamedTempFile, TempPath};

/// Anybody may read what is written: there are no secrets in it.
const MODE: u32 = 0o644;

/// A file that is to be written.
#[derive(Debug)]
pub(crate) struct NewFile {
    pub(crate) path: PathBuf,
    pub(crate) content: String,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum FileError {
    #[error("{} {} already; nothing was written", listed(.0), if .0.len() == 1 { "exists" } else { "exist" })]
    #[diagnostic(help(
        "write into another directory with --dir, print the files with --print, or replace them with --force"
    ))]
    Exists(Vec<PathBuf>),
    #[error("cannot write {}; nothing was written", path.display())]
    Stage { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Persist { path: PathBuf, source: io::Error },
}

fn listed(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Whether none of the files is there.
///
/// # Errors
/// [`FileError::Exists`] with those that are.
pub(crate) fn check_absent(files: &[NewFile]) -> Result<(), FileError> {
    let there = files.iter().filter(|file| fs::symlink_metadata(&file.path).is_ok());
    let there: Vec<_> = there.map(|file| file.path.clone()).collect();
    if there.is_empty() { Ok(()) } else { Err(FileError::Exists(there)) }
}

/// Writes the files, each at once and as a whole. What is there is replaced only if `force` says so.
///
/// # Errors
/// [`FileError`]; a file that was in the way is as it was.
pub(crate) fn write_all(files: &[NewFile], force: bool) -> Result<(), FileError> {
    if !force {
        check_absent(files)?;
    }
    let stage = |file: &NewFile| {
        let failed = |source| FileError::Stage { path: file.path.clone(), source };
        staged(file).map_err(failed)
    };
    let staged: Vec<_> = files.iter().map(stage).collect::<Result<_, _>>()?;
    for (file, staged) in files.iter().zip(staged) {
        let path = &file.path;
        let persisted = match force {
            // A link stays one, and what it leads to is replaced.
            true => staged.persist(fs::canonicalize(path).unwrap_or_else(|_| path.clone())),
            false => staged.persist_noclobber(path),
        };
        persisted
            .map_err(|error| FileError::Persist { path: path.clone(), source: error.error })?;
    }
    Ok(())
}

/// The file under another name in its directory.
fn staged(file: &NewFile) -> io::Result<TempPath> {
    let directory = file.path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut new = NamedTempFile::new_in(directory)?;
    new.write_all(file.content.as_bytes())?;
    fs::set_permissions(new.path(), Permissions::from_mode(MODE))?;
    new.as_file().sync_all()?;
    Ok(new.into_temp_path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_unless_it_is_to_be_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let files = ["a", "b"].map(|name| NewFile { path: path(name), content: name.to_owned() });
        fs::write(path("b"), "mine").unwrap();
        let error = write_all(&files, false).unwrap_err();
        assert!(matches!(&error, FileError::Exists(paths) if *paths == [path("b")]), "{error}");
        assert!(!path("a").exists(), "all of them, or none");
        assert_eq!(fs::read_to_string(path("b")).unwrap(), "mine");

        write_all(&files, true).unwrap();
        assert_eq!(fs::read_to_string(path("b")).unwrap(), "b");
        assert_eq!(fs::metadata(path("a")).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left over");
    }
}

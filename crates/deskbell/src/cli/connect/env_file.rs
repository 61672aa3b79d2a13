//! One variable in a file of variables: replaced or appended, with every other line as it is.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// What only its owner can read.
const MODE: u32 = 0o600;

/// What became of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Created,
    Changed,
    /// It had the value already.
    Unchanged,
}

/// Writes `variable=value`. The file is replaced as a whole or not at all: it has other secrets in it.
pub(super) fn write(file: &Path, variable: &str, value: &str) -> io::Result<Written> {
    // A link stays one.
    let file = match fs::canonicalize(file) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let line = format!("{variable}={value}\n");
            replace(file, line.as_bytes(), None)?;
            return Ok(Written::Created);
        }
        Err(error) => return Err(error),
    };
    let found = fs::read(&file)?;
    let changed = with_variable(&found, variable, value);
    if changed == found {
        return Ok(Written::Unchanged);
    }
    replace(&file, &changed, Some(&file))?;
    Ok(Written::Changed)
}

/// Puts the content in the place of the file, with the owner and the mode of this other one.
fn replace(file: &Path, content: &[u8], like: Option<&PathBuf>) -> io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut new = NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    new.write_all(content)?;
    let metadata = like.map(fs::metadata).transpose()?;
    if let Some(metadata) = &metadata {
        // Only root may give a file away; whoever else writes it owns it.
        let _ = chown(new.path(), Some(metadata.uid()), Some(metadata.gid()));
    }
    let mode = metadata.map_or(MODE, |metadata| metadata.mode());
    fs::set_permissions(new.path(), Permissions::from_mode(mode))?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// The content with the variable: every line that sets it is replaced, unless its value has this one among others.
fn with_variable(content: &[u8], variable: &str, value: &str) -> Vec<u8> {
    let mut changed = Vec::with_capacity(content.len() + variable.len() + value.len() + 2);
    let mut is_set = false;
    for line in content.split_inclusive(|&byte| byte == b'\n') {
        match value_start(line, variable) {
            Some(start) => {
                let end = line.len() - line_end(line).len();
                is_set = true;
                if has_value(&line[start..end], value) {
                    changed.extend_from_slice(line);
                } else {
                    changed.extend_from_slice(&line[..start]);
                    changed.extend_from_slice(value.as_bytes());
                    changed.extend_from_slice(&line[end..]);
                }
            }
            None => changed.extend_from_slice(line),
        }
    }
    if !is_set {
        let ending: &[u8] = if content.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        if !changed.is_empty() && !changed.ends_with(b"\n") {
            changed.extend_from_slice(ending);
        }
        changed.extend_from_slice(format!("{variable}={value}").as_bytes());
        changed.extend_from_slice(ending);
    }
    changed
}

fn line_end(line: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| !matches!(byte, b'\r' | b'\n');
    let end = line.iter().rposition(is_end).map_or(0, |last| last + 1);
    &line[end..]
}

/// Where the value begins, if the line sets the variable.
fn value_start(line: &[u8], variable: &str) -> Option<usize> {
    let trimmed = line.trim_ascii_start();
    let rest = match trimmed.strip_prefix(b"export") {
        Some(rest) if rest.first().is_some_and(u8::is_ascii_whitespace) => rest.trim_ascii_start(),
        _ => trimmed,
    };
    let rest = rest.strip_prefix(variable.as_bytes())?.trim_ascii_start().strip_prefix(b"=")?;
    let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    Some(line.len() - rest.len() + spaces)
}

/// Whether the value of a line is this one, or a list in which it is, as during a rotation.
fn has_value(found: &[u8], value: &str) -> bool {
    let Ok(found) = str::from_utf8(found) else { return false };
    let found = found.split(" #").next().unwrap_or_default().trim();
    let unquoted =
        ['"', '\''].iter().find_map(|&quote| found.strip_prefix(quote)?.strip_suffix(quote));
    unquoted.unwrap_or(found).split([' ', ',']).any(|one| one == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "SECRET";

    fn with(content: &str) -> String {
        String::from_utf8(with_variable(content.as_bytes(), NAME, "new")).unwrap()
    }

    #[test]
    fn the_variable_is_replaced_or_appended_and_other_lines_stay() {
        for (content, expected) in [
            ("", "SECRET=new\n"),
            ("A=1", "A=1\nSECRET=new\n"),
            ("A=1\n\n# end\n", "A=1\n\n# end\nSECRET=new\n"),
            ("A=1\r\n", "A=1\r\nSECRET=new\r\n"),
            ("SECRET=old\n", "SECRET=new\n"),
            ("SECRET=old", "SECRET=new"),
            ("A=1\nSECRET=\"old\"\nB='x y' # z\n", "A=1\nSECRET=new\nB='x y' # z\n"),
            ("  export SECRET = old\r\nB=2\r\n", "  export SECRET = new\r\nB=2\r\n"),
            ("SECRET=\nSECRET=other\n", "SECRET=new\nSECRET=new\n"),
            ("#SECRET=old\n", "#SECRET=old\nSECRET=new\n"),
            ("SECRETS=old\nexportSECRET=x\n", "SECRETS=old\nexportSECRET=x\nSECRET=new\n"),
        ] {
            assert_eq!(with(content), expected, "{content:?}");
        }
        let bytes = with_variable(b"A=\xff\nSECRET=\xfe\n", NAME, "new");
        assert_eq!(bytes, b"A=\xff\nSECRET=new\n");
    }

    #[test]
    fn a_line_that_has_the_value_stays() {
        for content in [
            "SECRET=new\n",
            "SECRET='old,new'",
            "export SECRET=\"new old\" # rotating\n",
            "SECRET=new # a\n",
        ] {
            assert_eq!(with(content), content);
        }
    }

    #[test]
    fn a_file_keeps_its_mode_and_its_link_and_a_new_one_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let mode = |name: &str| fs::metadata(path(name)).unwrap().mode() & 0o777;
        assert_eq!(write(&path(".env"), NAME, "new").unwrap(), Written::Created);
        assert_eq!(write(&path(".env"), NAME, "new").unwrap(), Written::Unchanged);
        assert_eq!(mode(".env"), 0o600);

        fs::write(path("shared"), "A=1\n").unwrap();
        fs::set_permissions(path("shared"), Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink("shared", path("link")).unwrap();
        assert_eq!(write(&path("link"), NAME, "new").unwrap(), Written::Changed);
        assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(path("shared")).unwrap(), "A=1\nSECRET=new\n");
        assert_eq!(mode("shared"), 0o644);
        assert!(write(&path("none/.env"), NAME, "new").is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3, "nothing is left over");
    }
}

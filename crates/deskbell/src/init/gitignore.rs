//! Whether git would take `.env`.

use std::path::Path;

/// What a line of `.gitignore` says that leaves `.env` out, in the directory itself.
const ANCHORED: &[&str] = &["/.env", "/.env*"];
/// The same, in the directories below too.
const ANYWHERE: &[&str] = &[".env", "**/.env", ".env*", "*.env", "**/.env*"];

/// What to say of the directory's `.gitignore`: in a repository it should leave `.env` out.
pub(crate) fn warning(directory: &Path) -> Option<String> {
    let directory = std::path::absolute(directory).ok()?;
    let mut ancestors = Vec::new();
    for ancestor in directory.ancestors() {
        ancestors.push(ancestor);
        if ancestor.join(".git").exists() {
            break;
        }
    }
    let is_repository = ancestors.last().is_some_and(|root| root.join(".git").exists());
    let files = if is_repository { &ancestors[..] } else { &ancestors[..1] };
    let read: Vec<_> = files
        .iter()
        .filter_map(|one| {
            Some((*one == directory, std::fs::read_to_string(one.join(".gitignore")).ok()?))
        })
        .collect();
    if !is_repository && read.is_empty() {
        return None;
    }
    let mut is_ignored = false;
    // A file further down, and a line further down, has the last word.
    for (is_own, text) in read.iter().rev() {
        for line in text.lines().map(str::trim) {
            if ANYWHERE.contains(&line) || (*is_own && ANCHORED.contains(&line)) {
                is_ignored = true;
            } else if line.starts_with('!') && line.ends_with(".env") {
                is_ignored = false;
            }
        }
    }
    (!is_ignored).then(|| {
        "git does not ignore `.env`, which will hold secrets: add a line `.env` to .gitignore"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_should_leave_the_secrets_out() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("app");
        std::fs::create_dir(&below).unwrap();
        assert_eq!(warning(&below), None, "it is no repository");
        std::fs::create_dir(root.path().join(".git")).unwrap();
        assert!(warning(&below).is_some(), "there is no .gitignore");
        std::fs::write(root.path().join(".gitignore"), "target\n.env.example\n").unwrap();
        assert!(warning(&below).is_some());
        std::fs::write(root.path().join(".gitignore"), "target\r\n.env*\r\n").unwrap();
        assert_eq!(warning(&below), None);
        for text in ["/.env\n", ".env\n!app/.env\n"] {
            std::fs::write(root.path().join(".gitignore"), text).unwrap();
            assert!(warning(&below).is_some(), "{text}");
        }
    }
}

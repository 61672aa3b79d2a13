//! The application's directory: its packages' versions, and the source files that matter here.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Source files that are looked at; further ones are not.
const FILES_MAX: usize = 2_000;
/// Bytes of a file; what is behind them is not read.
const FILE_BYTES_MAX: u64 = 512 << 10;
/// Bytes of all files together.
const ALL_BYTES_MAX: usize = 32 << 20;
/// Directories within directories.
const DEPTH_MAX: usize = 12;
/// Directories above that may have the packages, as in a monorepo.
const ANCESTORS_MAX: usize = 4;
const EXTENSIONS: [&str; 8] = ["ts", "tsx", "js", "jsx", "mjs", "cjs", "mts", "cts"];
/// Directories of what is installed or built; those whose names begin with a dot are skipped as well.
const SKIPPED: [&str; 7] = ["node_modules", "dist", "build", "out", "coverage", "target", "vendor"];

/// What was read of it.
#[derive(Debug, Default)]
pub(super) struct Project {
    directory: PathBuf,
    manifest: Option<Value>,
    pub(super) sources: Vec<Source>,
}

/// A source file that has to do with webhooks or with Clerk.
#[derive(Debug)]
pub(super) struct Source {
    /// Within the project.
    pub(super) path: String,
    pub(super) text: String,
}

impl Project {
    pub(super) fn read(directory: &Path) -> Self {
        let manifest = json(&directory.join("package.json"));
        let mut reading = Reading::default();
        // Without a manifest, it is no project of this kind, and may be anything.
        if manifest.is_some() {
            reading.directory(directory, directory, 0);
        }
        Self { directory: directory.to_owned(), manifest, sources: reading.sources }
    }

    /// The major version of a package: the installed one, or else the one that is asked for.
    pub(super) fn major(&self, package: &str) -> Option<u32> {
        let manifest = self.manifest.as_ref()?;
        let installed = self.directory.ancestors().take(ANCESTORS_MAX).find_map(|directory| {
            let manifest = json(&directory.join("node_modules").join(package).join("package.json"));
            Some(manifest?["version"].as_str()?.to_owned())
        });
        let asked = || {
            ["dependencies", "devDependencies"]
                .iter()
                .find_map(|kind| Some(manifest[*kind][package].as_str()?.to_owned()))
        };
        major_of(&installed.or_else(asked)?)
    }

    /// Whether a file lies there, by its path within the project.
    pub(super) fn source(&self, paths: &[&str]) -> Option<&Source> {
        self.sources.iter().find(|source| paths.contains(&source.path.as_str()))
    }
}

impl Source {
    /// The lines of code that hold the text, numbered from 1; not those that begin as comments.
    pub(super) fn lines_with<'a>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = (usize, &'a str)> + 'a {
        let lines = self.text.lines().enumerate();
        lines.map(|(index, line)| (index + 1, line.trim())).filter(move |(_, line)| {
            line.contains(text) && !line.starts_with("//") && !line.starts_with('*')
        })
    }

    pub(super) fn has(&self, text: &str) -> bool {
        self.lines_with(text).next().is_some()
    }

    /// Whether it imports or requires the package, by any of its paths.
    pub(super) fn imports(&self, package: &str) -> bool {
        [format!("\"{package}\""), format!("'{package}'")].iter().any(|name| self.has(name))
    }
}

#[derive(Default)]
struct Reading {
    files: usize,
    bytes: usize,
    sources: Vec<Source>,
}

impl Reading {
    fn directory(&mut self, root: &Path, directory: &Path, depth: usize) {
        let Ok(entries) = fs::read_dir(directory) else { return };
        let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for path in entries {
            if self.files >= FILES_MAX || self.bytes >= ALL_BYTES_MAX {
                return;
            }
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // A link may lead anywhere, also back up.
            let Ok(found) = path.symlink_metadata() else { continue };
            if found.is_dir() {
                let is_skipped = name.starts_with('.') || SKIPPED.contains(&name);
                if !is_skipped && depth < DEPTH_MAX {
                    self.directory(root, &path, depth + 1);
                }
            } else if found.is_file() && is_source(&path) {
                self.file(root, &path);
            }
        }
    }

    fn file(&mut self, root: &Path, path: &Path) {
        self.files += 1;
        let mut bytes = Vec::new();
        let read =
            File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
        self.bytes += bytes.len();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let matters = ["svix", "@clerk/", "webhook", "WEBHOOK"];
        if read.is_ok() && matters.iter().any(|word| text.contains(word)) {
            let path = path.strip_prefix(root).unwrap_or(path).display().to_string();
            self.sources.push(Source { path, text });
        }
    }
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|one| extension == *one))
}

fn json(path: &Path) -> Option<Value> {
    let mut text = String::new();
    File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// The first number of a version, or of a range such as `^2.1.0`.
fn major_of(version: &str) -> Option<u32> {
    let digits = version.trim_start_matches(|character: char| !character.is_ascii_digit());
    digits.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_versions_count_more_than_those_asked_for_and_what_is_built_is_skipped() {
        let directory = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let manifest = r#"{"dependencies":{"svix":"^1.4.0","next":"~15.1"}}"#;
        write("package.json", manifest);
        write("node_modules/svix/package.json", r#"{"version":"2.5.0"}"#);
        write("node_modules/svix/index.js", "svix");
        write(
            "app/api/webhooks/route.ts",
            "import { Webhook } from 'svix';\n// auth().protect()\n",
        );
        write("dist/route.js", "svix");
        write("app/page.tsx", "nothing of interest");
        let project = Project::read(directory.path());
        assert_eq!(
            ["svix", "next", "express"].map(|package| project.major(package)),
            [Some(2), Some(15), None]
        );
        let [source] = &project.sources[..] else { panic!("{:?}", project.sources) };
        assert_eq!(source.path, "app/api/webhooks/route.ts");
        assert!(source.imports("svix") && !source.has("auth().protect("));
    }

    #[test]
    fn a_directory_without_a_manifest_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("handler.js"), "svix").unwrap();
        assert!(Project::read(directory.path()).sources.is_empty());
    }
}

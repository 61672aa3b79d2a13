//! Programs of the examples that need packages. `cargo xtask test` installs these in `target/interop`.

use std::path::Path;

use tokio::process::Command;

use super::directory;
use super::sandbox::Sandbox;
use crate::program::support::finish;

/// The examples with packages, and the directory of the packages in `target/interop`.
const PACKAGES: [(&str, &str); 4] = [
    ("django", "django"),
    ("drizzle-app", "drizzle"),
    ("prisma", "prisma"),
    ("prisma-app", "prisma"),
];
const MADE: [&str; 4] = [".venv", "__pycache__", "generated", "node_modules"];
/// The files that a program consists of.
const SOURCES: [&str; 4] = ["json", "prisma", "py", "ts"];

/// Copies the example's programs to the sandbox, and gives them their packages.
pub(super) fn install(example: &str, sandbox: &Sandbox) {
    let Some((_, packages)) = PACKAGES.iter().find(|(name, _)| *name == example) else { return };
    copy(&directory(example), &sandbox.path());
    let interop = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("interop");
    for name in ["node_modules", "packages"] {
        let installed = interop.join(packages).join(name);
        if installed.exists() {
            std::os::unix::fs::symlink(installed, sandbox.path().join(name)).unwrap();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if from.is_file() && is_source(&from) {
            std::fs::copy(from, to).unwrap();
        } else if from.is_dir() && !is_made(&from) {
            std::fs::create_dir(&to).unwrap();
            copy(&from, &to);
        }
    }
}

fn is_source(file: &Path) -> bool {
    file.extension().is_some_and(|extension| SOURCES.iter().any(|source| extension == *source))
}

/// Whether the directory is what a reader's commands left there.
fn is_made(directory: &Path) -> bool {
    MADE.iter().any(|made| directory.ends_with(made))
}

/// Runs a line of a README, such as `npx tsx query.ts`, and returns what it prints.
pub(super) async fn run(line: &str, sandbox: &Sandbox) -> String {
    let program = line.strip_prefix("npx ").unwrap_or(line);
    let program = program.replace("../", &directory("").display().to_string());
    let script = format!("PATH=\"$PWD/node_modules/.bin:$PATH\"; {program}");
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", &script])
        .current_dir(sandbox.path())
        .env("DATABASE_URL", sandbox.url())
        .env("PRISMA_HIDE_UPDATE_MESSAGE", "1")
        .env("PYTHONPATH", "packages")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let ran = finish(&mut shell).await;
    assert_eq!(ran.code, 0, "{line}: {}{}", ran.stdout, ran.stderr);
    ran.stdout
}

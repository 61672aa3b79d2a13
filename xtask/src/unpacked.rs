//! Programs that tests need and the system lacks, out of Debian's packages: downloaded and unpacked under
//! `target/debian`, with or without root. Nothing of the system changes.
//!
//! Programs find them by variables, which a process cannot give itself: the command begins once more with them.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{environment, workspace};

/// Set in a command that has begun once more.
const BEGUN_AGAIN: &str = "DESKBELL_XTASK_UNPACKED";
/// Where the unpacked packages have programs.
const PROGRAMS: [&str; 2] = ["usr/bin", "usr/sbin"];

/// Whether packages can be unpacked, and were not yet for this command.
pub(crate) fn is_possible() -> bool {
    environment::variable(BEGUN_AGAIN).is_none() && Path::new("/etc/debian_version").exists()
}

/// Unpacks the packages and begins the command once more with them. Where that fails, it says so and returns.
pub(crate) fn begin_again_with(packages: &[&str]) {
    match unpack(packages) {
        Ok(()) => {
            let error = again();
            eprintln!("=== the command could not begin once more: {error}");
        }
        Err(error) => eprintln!("=== {} could not be unpacked: {error}", packages.join(", ")),
    }
}

/// The directory that the packages are unpacked into.
pub(crate) fn root() -> PathBuf {
    workspace::target().join("debian/root")
}

fn unpack(packages: &[&str]) -> io::Result<()> {
    let base = workspace::target().join("debian");
    let stamp = base.join("unpacked");
    let wanted = packages.join(" ");
    if fs::read_to_string(&stamp).is_ok_and(|unpacked| unpacked == wanted) {
        return Ok(());
    }
    eprintln!("\n=== unpacking Debian's {} under {}", packages.join(", "), base.display());
    let apt = Apt::prepare(&base)?;
    apt.run(&["update"])?;
    let simulated =
        apt.run(&[&["install", "--simulate", "--no-install-recommends"], packages].concat())?;
    let names = to_be_installed(&String::from_utf8_lossy(&simulated.stdout));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    apt.run(&[&["download"], names.as_slice()].concat())?;
    fs::create_dir_all(root())?;
    for package in fs::read_dir(&apt.archives)? {
        let unpacked =
            Command::new("dpkg-deb").arg("-x").arg(package?.path()).arg(root()).output()?;
        succeeded("dpkg-deb", unpacked)?;
    }
    fs::remove_dir_all(&apt.archives)?;
    fs::write(stamp, wanted)
}

/// What apt says that it would install, with what that depends on and the system lacks.
fn to_be_installed(simulated: &str) -> Vec<String> {
    let lines = simulated.lines().filter_map(|line| line.strip_prefix("Inst "));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// `apt-get` with package lists and a cache of its own.
struct Apt {
    options: Vec<String>,
    archives: PathBuf,
}

impl Apt {
    fn prepare(base: &Path) -> io::Result<Self> {
        let (lists, cache, archives) =
            (base.join("lists"), base.join("cache"), base.join("archives"));
        for directory in [&lists.join("partial"), &cache.join("archives/partial"), &archives] {
            fs::create_dir_all(directory)?;
        }
        let options = [
            format!("Dir::State::lists={}", lists.display()),
            format!("Dir::Cache={}", cache.display()),
            "Debug::NoLocking=true".to_owned(),
            // Another user could not write below a home.
            "APT::Sandbox::User=".to_owned(),
        ];
        Ok(Self { options: options.to_vec(), archives })
    }

    fn run(&self, arguments: &[&str]) -> io::Result<Output> {
        let mut command = Command::new("apt-get");
        for option in &self.options {
            command.arg("-o").arg(option);
        }
        command.arg("--quiet").args(arguments).current_dir(&self.archives);
        succeeded("apt-get", command.env("LC_ALL", "C").output()?)
    }
}

fn succeeded(program: &str, output: Output) -> io::Result<Output> {
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program} failed: {}", said.trim())))
}

/// Begins this command once more, with variables that lead to what was unpacked; returns only where that fails.
fn again() -> io::Error {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let root = root();
    let programs = PROGRAMS.map(|directory| root.join(directory));
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env(BEGUN_AGAIN, "1");
    command.env("PATH", in_front(&programs, "PATH"));
    command.env("LD_LIBRARY_PATH", in_front(&libraries(&root), "LD_LIBRARY_PATH"));
    command.env("NODE_PATH", in_front(&[root.join("usr/share/nodejs")], "NODE_PATH"));
    command.exec()
}

/// The directories of libraries: one for each architecture, and none above them.
fn libraries(root: &Path) -> Vec<PathBuf> {
    let of = |directory: PathBuf| {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().contains("-linux-"))
    };
    of(root.join("usr/lib")).chain(of(root.join("lib"))).collect()
}

/// The variable, behind these directories.
fn in_front(directories: &[PathBuf], variable: &str) -> OsString {
    let value = environment::variable(variable).unwrap_or_default();
    let value: Vec<PathBuf> = std::env::split_paths(&value).collect();
    std::env::join_paths(directories.iter().chain(&value)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_would_install_is_read() {
        let simulated = "Reading package lists...\nThe following NEW packages will be installed:\n  pgbouncer\n\
            Inst libcares2 (1.18.1-3 Debian:12/stable [amd64])\nInst pgbouncer (1.18.0-1 Debian:12/stable [amd64])\n\
            Conf libcares2 (1.18.1-3 Debian:12/stable [amd64])\n";
        assert_eq!(to_be_installed(simulated), ["libcares2", "pgbouncer"]);
        assert!(to_be_installed("pgbouncer is already the newest version\n").is_empty());
    }
}

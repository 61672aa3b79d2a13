//! The private server's cluster: made once, in `target/postgres` or where the account can reach it.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace;

use super::account::Account;
use super::pid_file::{self, Leftover};
use super::programs::{self, Programs};

/// How long a server of an earlier run may take to stop.
const STOP_SECONDS_MAX: &str = "30";

/// A directory with databases that no server runs on.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// What the account may write into.
    pub(crate) base: PathBuf,
    pub(crate) data: PathBuf,
}

impl Cluster {
    /// Finds or makes the cluster of these programs' release, and stops a server that an earlier run left on it.
    pub(crate) fn prepare(programs: &Programs, account: &Account) -> io::Result<Self> {
        let base = base(account)?;
        // Another release cannot read the files of this one.
        let data = base.join(format!("cluster-{}", programs.version.0));
        let cluster = Self { base, data };
        if cluster.data.exists() {
            cluster.stop_leftover(programs, account)?;
        } else {
            cluster.create(programs, account)?;
        }
        Ok(cluster)
    }

    pub(crate) fn discard(self) -> io::Result<()> {
        fs::remove_dir_all(self.data)
    }

    /// Runs `initdb` beside the cluster's place and moves the result there, so that half a cluster is never found.
    fn create(&self, programs: &Programs, account: &Account) -> io::Result<()> {
        let new = self.data.with_extension("new");
        if new.exists() {
            fs::remove_dir_all(&new)?;
        }
        let mut initdb = account.command(programs.path("initdb"));
        initdb.args(["--username=postgres", "--auth=trust", "--no-sync"]);
        // The same order of text everywhere.
        initdb.args(["--encoding=UTF8", "--locale=C", "--pgdata"]).arg(&new);
        succeed(&mut initdb, &self.base)?;
        fs::rename(new, &self.data)
    }

    fn stop_leftover(&self, programs: &Programs, account: &Account) -> io::Result<()> {
        match pid_file::leftover(&self.data) {
            Leftover::None => Ok(()),
            Leftover::Gone => fs::remove_file(self.data.join(pid_file::NAME)),
            Leftover::Running => {
                eprintln!("\n=== PostgreSQL: stopping the server that an earlier run left");
                let mut stop = account.command(programs.path("pg_ctl"));
                stop.args(["stop", "--silent", "--mode=immediate", "--timeout", STOP_SECONDS_MAX]);
                stop.arg("--pgdata").arg(&self.data);
                succeed(&mut stop, &self.base)
            }
        }
    }
}

/// Runs a program without a word, unless it fails.
fn succeed(command: &mut Command, directory: &Path) -> io::Result<()> {
    let output = command.current_dir(directory).env("HOME", directory).output()?;
    if output.status.success() {
        return Ok(());
    }
    let program = command.get_program().display().to_string();
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program} failed: {}", said.trim())))
}

/// `target/postgres`, or a directory of its own among the system's temporary ones: a path below a home may be closed to
/// root's stand-in.
fn base(account: &Account) -> io::Result<PathBuf> {
    let target = workspace::target();
    let (near, far) = (target.join("postgres"), far_base(&std::env::temp_dir(), &target));
    for base in [near, far] {
        fs::create_dir_all(&base)?;
        let metadata = fs::symlink_metadata(&base)?;
        // A name in a directory that anyone writes to may be someone else's trap.
        if !metadata.is_dir() || !account.trusts(metadata.uid()) {
            return Err(io::Error::other(format!("{} is not ours", base.display())));
        }
        account.give(&base)?;
        if programs::can_use(account.command("sh"), &base) {
            return Ok(base);
        }
    }
    Err(io::Error::other("no directory that the server's account may write into"))
}

/// Each checkout has its own.
fn far_base(temporary: &Path, target: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    temporary.join(format!("deskbell-postgres-{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkouts_do_not_share_a_cluster() {
        let base = |target| far_base(Path::new("/tmp"), Path::new(target));
        assert_eq!(base("/root/a/target"), base("/root/a/target"));
        assert_ne!(base("/root/a/target"), base("/root/b/target"));
    }
}

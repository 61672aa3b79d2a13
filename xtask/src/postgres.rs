//! The PostgreSQL server that tests speak to: the one that the environment names, else a private one under `target/`.

mod account;
mod cluster;
mod pid_file;
mod programs;
mod server;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;

use crate::environment::{self, TEST_POSTGRES};
use crate::report::NotRun;
use crate::workspace;

use account::Account;
use cluster::Cluster;
use programs::Programs;
use server::Server;
/// How often a server is started, each time on another port: one may be taken between the search and the start.
const STARTS_MAX: usize = 3;

/// What the tests get. A private server is stopped when this is dropped.
pub(crate) struct Provided {
    pub(crate) url: Option<String>,
    _private: Option<Private>,
}

/// A server and the right to it. The server is stopped before the right is given up: fields drop in this order.
struct Private {
    server: Server,
    _lock: File,
}

/// Provides a server. Where that cannot be done, it is reported, and there is no URL.
pub(crate) fn provide(not_run: &mut Vec<NotRun>) -> Provided {
    if let Some(url) = environment::test_postgres() {
        eprintln!("\n=== PostgreSQL: the server that {TEST_POSTGRES} names");
        return Provided { url: Some(url), _private: None };
    }
    match start() {
        Ok(private) => {
            eprintln!("\n=== PostgreSQL: a private server at {}", private.server.url());
            Provided { url: Some(private.server.url()), _private: Some(private) }
        }
        Err(install) => {
            not_run.push(NotRun { what: "tests on PostgreSQL".to_owned(), install });
            Provided { url: None, _private: None }
        }
    }
}

/// Where the programs of a server are and whom they must run as, for a command that starts one of its own; else says what
/// is missing.
pub(crate) fn programs() -> Result<(PathBuf, Option<String>), String> {
    let programs = Programs::ensure()?;
    let account = match Account::choose()? {
        Account::Ourselves(_) => None,
        Account::StandIn { user, group } => Some(format!("{user}:{group}")),
    };
    Ok((programs.path(""), account))
}

/// Whether there is a server to start, or one is named.
pub(crate) fn is_found() -> bool {
    environment::test_postgres().is_some() || Programs::is_found()
}

/// Starts a private server, or says what is missing.
fn start() -> Result<Private, String> {
    let programs = Programs::ensure()?;
    let account = Account::choose()?;
    let failed = |error: io::Error| format!("its server could not be started: {error}");
    let lock = lock().map_err(failed)?;
    let server = start_on_cluster(&programs, &account).map_err(failed)?;
    Ok(Private { server, _lock: lock })
}

/// A cluster that does not start, such as one that lost power without `fsync`, is created again before the last try.
fn start_on_cluster(programs: &Programs, account: &Account) -> io::Result<Server> {
    let mut cluster = Cluster::prepare(programs, account)?;
    for _ in 1..STARTS_MAX {
        if let Ok(server) = Server::start(programs, account, &cluster) {
            return Ok(server);
        }
    }
    cluster.discard()?;
    cluster = Cluster::prepare(programs, account)?;
    Server::start(programs, account, &cluster)
}

/// One run at a time in a checkout; the system gives the lock up when the run ends, however it ends.
fn lock() -> io::Result<File> {
    let directory = workspace::target().join("postgres");
    fs::create_dir_all(&directory)?;
    let file = File::create(directory.join("lock"))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error),
    }
    eprintln!("\n=== waiting for another run that has the PostgreSQL server of this checkout");
    file.lock()?;
    Ok(file)
}

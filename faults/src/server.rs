//! A private PostgreSQL server that can be stopped and started. It ends with this process, however that ends.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Stdio;

use clap::Args;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::error::FaultError;

/// What a crash of the server loses is what it had not written; what a crash of the machine loses is not tried here.
const SETTINGS: &str = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= \
                        -c max_connections=200 -c fsync=off";
/// Does as its standard input says, and stops the server when that ends.
const SUPERVISE: &str = r#"
start() {
  "$1" start --silent --wait --timeout=60 --pgdata="$2" --log="$3" --options="$4"
}
start "$@" && echo done || exit 1
while read -r word mode; do
  case "$word" in
    stop) "$1" stop --silent --mode="$mode" --timeout=60 --pgdata="$2" ;;
    start) start "$@" ;;
  esac && echo done || echo failed
done
"$1" stop --silent --mode=fast --timeout=30 --pgdata="$2" || "$1" stop --silent --mode=immediate --pgdata="$2"
"#;

/// Where PostgreSQL's programs are and whom they run as.
#[derive(Debug, Args)]
pub(crate) struct Programs {
    /// The directory of PostgreSQL's programs; by default they are in the path
    #[arg(long, value_name = "DIR", hide = true)]
    postgres_bin: Option<PathBuf>,
    /// Whom PostgreSQL runs as, in numbers, where we are root
    #[arg(long, value_name = "USER:GROUP", hide = true, value_parser = account)]
    postgres_account: Option<(u32, u32)>,
}

/// How the server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It ends its sessions and writes everything down.
    Fast,
    /// It is gone at once, and recovers when it starts.
    Immediate,
}

/// A server that runs, or is stopped for a while.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    to_supervisor: ChildStdin,
    from_supervisor: Lines<BufReader<ChildStdout>>,
    supervisor: Child,
    directory: TempDir,
}

impl Server {
    /// Makes a cluster of databases, starts the server on a free port, and waits until it answers.
    pub(crate) async fn start(programs: &Programs) -> Result<Self, FaultError> {
        let directory = tempfile::Builder::new().prefix("deskbell-faults-postgres-").tempdir()?;
        if let Some((user, group)) = programs.postgres_account {
            chown(directory.path(), Some(user), Some(group))?;
        }
        let data = directory.path().join("data");
        let mut initdb = programs.command("initdb", &directory);
        initdb.args(["--username=postgres", "--auth=trust", "--no-sync"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--pgdata"]).arg(&data);
        let made = initdb.output().await?;
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr).into_owned();
            return Err(FaultError::Postgres { said });
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = programs.command("sh", &directory);
        command.args(["-c", SUPERVISE, "sh"]).arg(programs.path("pg_ctl"));
        command.args([&data, &directory.path().join("log")]);
        command.arg(format!("-p {} {SETTINGS}", address.port()));
        // An interrupt from the keyboard must not end the supervisor before it has stopped the server.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut supervisor = command.spawn()?;
        let (Some(to), Some(from)) = (supervisor.stdin.take(), supervisor.stdout.take()) else {
            return Err(io::Error::other("the supervisor has no pipes").into());
        };
        let from_supervisor = BufReader::new(from).lines();
        let mut server =
            Self { address, to_supervisor: to, from_supervisor, supervisor, directory };
        server.is_done().await?;
        Ok(server)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn stop(&mut self, how: Stop) -> Result<(), FaultError> {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        self.ask(&format!("stop {mode}\n")).await
    }

    /// Starts it again, and waits until it answers.
    pub(crate) async fn start_again(&mut self) -> Result<(), FaultError> {
        self.ask("start\n").await
    }

    pub(crate) async fn create_database(&self, name: &str) -> Result<(), FaultError> {
        let mut connection = PgConnection::connect(&url(self.address, "postgres")).await?;
        let create = format!("CREATE DATABASE {name}");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// Lets nobody connect to a database, and ends the connections that there are; or lets everybody.
    pub(crate) async fn allow_connections(
        &self,
        name: &str,
        allowed: bool,
    ) -> Result<(), FaultError> {
        let mut connection = PgConnection::connect(&url(self.address, "postgres")).await?;
        let allow = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}");
        sqlx::raw_sql(AssertSqlSafe(allow)).execute(&mut connection).await?;
        if !allowed {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
            sqlx::query(end).bind(name).execute(&mut connection).await?;
        }
        Ok(connection.close().await?)
    }

    /// Stops the server for good, before its files go.
    pub(crate) async fn end(self) -> Result<(), FaultError> {
        let Self { to_supervisor, mut supervisor, directory, .. } = self;
        drop(to_supervisor);
        supervisor.wait().await?;
        Ok(directory.close()?)
    }

    async fn ask(&mut self, order: &str) -> Result<(), FaultError> {
        self.to_supervisor.write_all(order.as_bytes()).await?;
        self.is_done().await
    }

    async fn is_done(&mut self) -> Result<(), FaultError> {
        if self.from_supervisor.next_line().await?.as_deref() == Some("done") {
            return Ok(());
        }
        let said = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
        Err(FaultError::Postgres { said })
    }
}

impl Programs {
    fn path(&self, program: &str) -> PathBuf {
        self.postgres_bin.as_ref().map_or_else(|| program.into(), |bin| bin.join(program))
    }

    fn command(&self, program: &str, directory: &TempDir) -> Command {
        let is_ours = program != "sh";
        let path = if is_ours { self.path(program) } else { PathBuf::from(program) };
        let mut command = Command::new(path);
        if let Some((user, group)) = self.postgres_account {
            command.uid(user).gid(group);
        }
        command.current_dir(directory.path()).env("HOME", directory.path());
        command
    }
}

/// Where a database is, for a role that may do everything.
pub(crate) fn url(address: SocketAddr, database: &str) -> String {
    format!("postgres://postgres@{address}/{database}")
}

/// A port that nobody had a moment ago.
pub(crate) fn free_port() -> io::Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr().map(|address| address.port())
}

fn account(text: &str) -> Result<(u32, u32), String> {
    let numbers = text.split_once(':').map(|(user, group)| (user.parse(), group.parse()));
    match numbers {
        Some((Ok(user), Ok(group))) => Ok((user, group)),
        _ => Err("two numbers with a colon between them are needed".to_owned()),
    }
}

//! One `deskbell serve` in a process of its own, and what can be done to it.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::error::FaultError;
use crate::server::free_port;

/// How long a replica may take to stop when it is asked to.
const STOP_TIME_MAX: Duration = Duration::from_secs(30);
/// A file that grows over its limit shall be an error to the one who writes, as a full disk is, and no signal.
const WITHOUT_SIGXFSZ: &str = r#"trap "" XFSZ; exec "$@""#;
/// What stands in a log where a thread has panicked.
const PANIC: &str = "panicked at";

/// What a replica is started with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) directory: PathBuf,
    /// The library that turns the clock, where that shall be possible.
    pub(crate) faketime: Option<PathBuf>,
}

/// The program that reads what a replica says.
#[derive(Debug)]
pub(crate) struct Reader(Child);

impl Reader {
    pub(crate) async fn end(mut self) -> Result<(), FaultError> {
        Ok(self.0.kill().await?)
    }
}

/// A replica, running or killed.
#[derive(Debug)]
pub(crate) struct Replica {
    setup: Setup,
    address: SocketAddr,
    process: Child,
}

impl Replica {
    /// Starts it with the config that this makes of its address, in its own directory.
    pub(crate) fn start(
        setup: Setup,
        config: impl FnOnce(SocketAddr) -> String,
    ) -> Result<Self, FaultError> {
        fs::create_dir_all(&setup.directory)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        fs::write(setup.directory.join("deskbell.toml"), config(address))?;
        if setup.faketime.is_some() {
            turn_clock(&setup, 0)?;
        }
        let process = spawn(&setup)?;
        Ok(Self { setup, address, process })
    }

    pub(crate) fn name(&self) -> &str {
        &self.setup.name
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it as the system does when memory is short: it cannot say a word.
    pub(crate) async fn kill(&mut self) -> Result<(), FaultError> {
        Ok(self.process.kill().await?)
    }

    /// Starts it again after it was killed, where it was.
    pub(crate) fn start_again(&mut self) -> Result<(), FaultError> {
        self.process = spawn(&self.setup)?;
        Ok(())
    }

    /// Starts it again, with a program between it and its log, which can end.
    pub(crate) fn start_again_with_a_reader(&mut self) -> Result<Reader, FaultError> {
        let log = File::options().create(true).append(true).open(log_file(&self.setup))?;
        let mut reader = Command::new("cat");
        reader.stdin(Stdio::piped()).stdout(log).stderr(Stdio::null()).kill_on_drop(true);
        let mut reader = reader.spawn()?;
        let pipe = reader.stdin.take().ok_or_else(|| io::Error::other("cat has no stdin"))?;
        self.process = spawn_with(&self.setup, pipe.into_owned_fd()?.into())?;
        Ok(Reader(reader))
    }

    /// Freezes it, as a paused virtual machine is.
    pub(crate) async fn freeze(&self) -> Result<(), FaultError> {
        self.signal("-STOP").await
    }

    pub(crate) async fn thaw(&self) -> Result<(), FaultError> {
        self.signal("-CONT").await
    }

    /// Lets no file of it grow over so many bytes; `None` lifts the limit.
    pub(crate) async fn limit_files(&self, bytes: Option<u64>) -> Result<(), FaultError> {
        let soft = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let process = format!("--pid={}", self.id());
        run("prlimit", &[&process, &format!("--fsize={soft}:unlimited")]).await
    }

    /// Turns its clock forward; the time goes on from there.
    pub(crate) fn turn_clock(&self, seconds: i64) -> Result<(), FaultError> {
        Ok(turn_clock(&self.setup, seconds)?)
    }

    /// The code or signal with which it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<String>, FaultError> {
        Ok(self.process.try_wait()?.map(|status| status.to_string()))
    }

    /// Asks it to stop; says what was wrong with that.
    pub(crate) async fn stop(&mut self) -> Result<Option<String>, FaultError> {
        if let Some(status) = self.ended()? {
            return Ok(Some(format!("{} ended by itself: {status}", self.name())));
        }
        self.signal("-TERM").await?;
        let wrong = match timeout(STOP_TIME_MAX, self.process.wait()).await {
            Ok(status) => {
                let status = status?;
                (!status.success()).then(|| format!("{} stopped with {status}", self.name()))
            }
            Err(_) => {
                self.kill().await?;
                let seconds = STOP_TIME_MAX.as_secs();
                Some(format!("{} did not stop within {seconds} s", self.name()))
            }
        };
        Ok(wrong)
    }

    /// What it has said, beside its directory: nothing that is done to the files there is done to this one.
    pub(crate) fn log_file(&self) -> PathBuf {
        log_file(&self.setup)
    }

    /// The first panic in its log.
    pub(crate) fn panic(&self) -> Result<Option<String>, FaultError> {
        let log = fs::read_to_string(self.log_file())?;
        let line = log.lines().find(|line| line.contains(PANIC));
        Ok(line.map(|line| format!("{}: {line}", self.name())))
    }

    async fn signal(&self, signal: &str) -> Result<(), FaultError> {
        run("kill", &[signal, &self.id()]).await
    }

    fn id(&self) -> String {
        self.process.id().map_or_else(String::new, |id| id.to_string())
    }
}

fn spawn(setup: &Setup) -> io::Result<Child> {
    let log = File::options().create(true).append(true).open(log_file(setup))?;
    spawn_with(setup, log.into())
}

fn spawn_with(setup: &Setup, log: Stdio) -> io::Result<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", WITHOUT_SIGXFSZ, "sh"]).arg(&setup.program).arg("serve");
    command.current_dir(&setup.directory).env_clear().env("NO_COLOR", "1");
    if let Some(library) = &setup.faketime {
        command.env("LD_PRELOAD", library);
        command.env("FAKETIME_TIMESTAMP_FILE", clock_file(&setup.directory));
        // Waits go by the clock that only ever goes forward, and nobody turns that one.
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_CACHE_DURATION", "1");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true).spawn()
}

fn log_file(setup: &Setup) -> PathBuf {
    setup.directory.with_extension("log")
}

fn clock_file(directory: &Path) -> PathBuf {
    directory.join("clock")
}

/// In a new file that takes the old one's place: half a line is never read.
fn turn_clock(setup: &Setup, seconds: i64) -> io::Result<()> {
    let new = setup.directory.join("clock.new");
    fs::write(&new, format!("{seconds:+}s\n"))?;
    fs::rename(new, clock_file(&setup.directory))
}

async fn run(program: &'static str, args: &[&str]) -> Result<(), FaultError> {
    let output = Command::new(program).args(args).output().await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(FaultError::Program { program, said })
}

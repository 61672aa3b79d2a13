//! A `deskbell` process in a directory of its own.

#[cfg(target_os = "linux")]
pub(crate) mod terminal;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clerk_webhooks::{HeaderFamily, Secret, Signer};
use deskbell_sim::Message;
use deskbell_sync::inspect::MirrorReader;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What deliveries to a test's receiver are signed with.
pub(crate) const ENDPOINT_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Longer than anything here takes, also on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Waits, for at most as long as a test may take.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, future).await.expect("in time")
}

/// The program, in this directory, with an environment of its own.
pub(crate) fn deskbell(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskbell"));
    command
        .current_dir(directory)
        .env_clear()
        .env("CLERK_WEBHOOK_SIGNING_SECRET", SECRET)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// What a command that ends by itself came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program to its end.
pub(crate) async fn run(directory: &Path, arguments: &[&str]) -> Ran {
    finish(deskbell(directory).args(arguments)).await
}

/// Sends a sample event of this type and message id, with these members set.
pub(crate) async fn trigger(
    directory: &Path,
    url: &str,
    event_type: &str,
    message: &str,
    set: &[&str],
) {
    let mut arguments = vec!["trigger", "--sample", event_type, "--url", url, "--id", message];
    for assignment in set {
        arguments.extend(["--set", assignment]);
    }
    let ran = run(directory, &arguments).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

pub(crate) async fn finish(command: &mut Command) -> Ran {
    let output = within(command.output()).await.unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A directory with a config that listens on any free port.
pub(crate) fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let config = "[server]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    directory
}

/// A config that forwards every event to this URL, with these further lines for the destination.
pub(crate) fn forwarding_to(directory: &Path, url: &str, more: &str) {
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[[destination]]\nname = \"receiver\"\n\
         type = \"http\"\nurl = \"{url}\"\nsecret = \"{ENDPOINT_SECRET}\"\n\
         allow_hosts = [\"127.0.0.1\"]\nevents = [\"*\", \"email.created\", \"sms.created\"]\n\
         retry = {{ schedule = [\"1s\"], then_every = \"1s\" }}\n{more}\n"
    );
    std::fs::write(directory.join("deskbell.toml"), config).unwrap();
}

/// How often a process is killed: the second number with `--long`.
#[expect(clippy::disallowed_methods, reason = "the test command says how long a test may take")]
pub(crate) fn kills(short: usize, long: usize) -> usize {
    if std::env::var_os("DESKBELL_TEST_LONG").is_some() { long } else { short }
}

/// A running `deskbell serve`.
pub(crate) struct Serving {
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
    pub(crate) said: Vec<String>,
    stderr: Option<Lines<BufReader<ChildStderr>>>,
}

impl Serving {
    /// Starts it and returns once it listens.
    pub(crate) async fn start(directory: &Path) -> Self {
        Self::of(deskbell(directory)).await
    }

    /// As [`start`](Self::start), with what this command has been given before.
    pub(crate) async fn of(mut command: Command) -> Self {
        command.arg("serve");
        Self::spawn(command).await
    }

    /// As [`of`](Self::of), of a command that has all of its arguments.
    pub(crate) async fn spawn(mut command: Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let address = within(async {
            loop {
                let line = stderr.next_line().await.unwrap();
                let line = line.unwrap_or_else(|| panic!("it ended early: {said:#?}"));
                let address = address_in(&line);
                said.push(line);
                if let Some(address) = address {
                    break address;
                }
            }
        })
        .await;
        Self { process, address, said, stderr: Some(stderr) }
    }

    /// From now on nobody can read what it says.
    pub(crate) fn hang_up(&mut self) {
        self.stderr = None;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/webhooks", self.address)
    }

    /// Waits until it says this.
    pub(crate) async fn until_said(&mut self, text: &str) {
        let stderr = self.stderr.as_mut().unwrap();
        while !self.said.iter().any(|line| line.contains(text)) {
            let line = within(stderr.next_line()).await.unwrap();
            self.said.push(line.unwrap_or_else(|| panic!("it ended early: {:#?}", self.said)));
        }
    }

    /// Sends it a signal, by the name that `kill` has for it.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.process.id().unwrap().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().await.unwrap();
        assert!(sent.success());
    }

    /// Asks it to stop, and returns its exit code and all that it said.
    pub(crate) async fn terminate(mut self) -> (i32, Vec<String>) {
        self.signal("TERM").await;
        if let Some(stderr) = &mut self.stderr {
            while let Some(line) = within(stderr.next_line()).await.unwrap() {
                self.said.push(line);
            }
        }
        let status = within(self.process.wait()).await.unwrap();
        (status.code().unwrap_or(-1), self.said)
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) async fn kill(mut self) {
        within(self.process.kill()).await.unwrap();
    }
}

/// The address that a line of the log says we listen on.
fn address_in(line: &str) -> Option<SocketAddr> {
    let greeting = line.split_once("listens on ").and_then(|(_, url)| url.split_once("://"));
    let (_, address) = greeting.or_else(|| line.split_once("address="))?;
    address.split_whitespace().next()?.parse().ok()
}

/// Sends the message as Clerk's sender would, and returns the status; `None` without an answer.
pub(crate) async fn send(http: &reqwest::Client, url: &str, message: &Message) -> Option<u16> {
    let signer = Signer::new(&Secret::parse(SECRET).unwrap()).unwrap();
    let signed = signer.sign(&message.id, now_seconds(), &message.body);
    let mut request = http.post(url).body(message.body.clone());
    for (name, value) in signed.iter(HeaderFamily::Svix) {
        request = request.header(name, value);
    }
    request.send().await.ok().map(|response| response.status().as_u16())
}

#[expect(clippy::disallowed_methods, reason = "signatures are held against the real time")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

fn now_seconds() -> u64 {
    now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The client that tests send with.
pub(crate) fn http_client() -> reqwest::Client {
    deskbell::install_crypto();
    reqwest::Client::builder().timeout(TIMEOUT).build().unwrap()
}

/// Reads the mirror once it stands at this event of the log.
pub(crate) async fn mirror_at(directory: &Path, seq: i64) -> MirrorReader {
    let url = format!("sqlite://{}", directory.join("clerk.db").display());
    destination_at(&url, "mirror", seq).await
}

/// Reads what a destination has in its database once it stands at this event of the log.
pub(crate) async fn destination_at(url: &str, name: &str, seq: i64) -> MirrorReader {
    let reader = MirrorReader::open(&url.parse().unwrap()).await.unwrap();
    let mut look = tokio::time::interval(Duration::from_millis(10));
    within(async {
        loop {
            look.tick().await;
            let checkpoint = reader.checkpoint(name).await.unwrap();
            if checkpoint.is_some_and(|checkpoint| checkpoint.seq.get() >= seq) {
                break;
            }
        }
    })
    .await;
    reader
}

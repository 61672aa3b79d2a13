//! What is sent, to servers that verify it by the official libraries for Node and Python.
//!
//! They know no `v1a`: that a rotation holds one does them no harm, and our own verifier takes it
//! in `signature.rs`. `cargo xtask test` installs the packages; `tests/interop/README.md` says how
//! to do it by hand.

#[path = "../../../../tests/interop/bodies.rs"]
mod bodies;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use clerk_webhooks::HeaderFamily;
use deskbell_delivery::{Attempt, HttpChannel, HttpConfig, Outcome};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::signature::{OTHER, PRIVATE};
use super::support::{self, LONG, SECRET, attempt_at, config, delivery_of};

const BOTH: &[HeaderFamily] = &[HeaderFamily::Svix, HeaderFamily::Webhook];
const SVIX: &[HeaderFamily] = &[HeaderFamily::Svix];
const WEBHOOK: &[HeaderFamily] = &[HeaderFamily::Webhook];

/// A server in another language, for as long as this lives.
struct Server {
    port: u64,
    _process: Child,
    _input: ChildStdin,
}

impl Server {
    async fn start(mut command: Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut input = process.stdin.take().unwrap();
        let ask = json!({ "secret": SECRET });
        input.write_all(format!("{ask}\n").as_bytes()).await.unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        timeout(LONG, output.read_line(&mut line)).await.unwrap().unwrap();
        let said: Value = serde_json::from_str(&line).expect("see tests/interop/README.md");
        Self { port: said["port"].as_u64().unwrap(), _process: process, _input: input }
    }

    /// A channel to this library's path.
    fn channel(&self, library: &str, family: HeaderFamily, secrets: &[&str]) -> HttpChannel {
        let url = format!("http://127.0.0.1:{}/{library}", self.port);
        let secrets = support::secrets(secrets);
        HttpChannel::new(&HttpConfig { header_family: family, secrets, ..config(&url) }).unwrap()
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop")
}

fn packages() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("interop")
}

/// One attempt now: these libraries read the clock themselves.
#[expect(clippy::disallowed_methods, reason = "the libraries cannot be told the time")]
async fn send(channel: &HttpChannel, body: &str) -> Attempt {
    let mut delivery = delivery_of("msg_2b3RoZXIgb3RoZXI", body.as_bytes());
    delivery.sent_at_seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    attempt_at(channel, &delivery, LONG).await
}

async fn takes_ours_and_no_forgery(server: &Server, library: &str, families: &[HeaderFamily]) {
    for &family in families {
        for secrets in [&[SECRET][..], &[OTHER, SECRET], &[PRIVATE, OTHER, SECRET]] {
            let channel = server.channel(library, family, secrets);
            for (name, body) in bodies::bodies() {
                let attempt = send(&channel, &body).await;
                let case = format!("{library} {family:?} {name}: {attempt:?}");
                assert_eq!(attempt.outcome, Outcome::Delivered, "{case}");
                assert_eq!(attempt.status, Some(200), "{case}");
            }
        }
        for secrets in [&[OTHER][..], &[PRIVATE]] {
            let attempt = send(&server.channel(library, family, secrets), "{}").await;
            assert_eq!(attempt.status, Some(400), "{library} {family:?}: {attempt:?}");
        }
    }
}

#[tokio::test]
async fn servers_in_node() {
    let mut command = Command::new("node");
    command.arg(scripts().join("receiver.mjs")).arg(packages().join("node"));
    let server = Server::start(command).await;
    takes_ours_and_no_forgery(&server, "svix", BOTH).await;
    takes_ours_and_no_forgery(&server, "standardwebhooks", WEBHOOK).await;
    takes_ours_and_no_forgery(&server, "clerk", SVIX).await;
}

#[tokio::test]
async fn servers_in_python() {
    let mut command = Command::new("python3");
    command.arg(scripts().join("receiver.py"));
    command.env("PYTHONPATH", packages().join("python/packages")).env("PYTHONUTF8", "1");
    let server = Server::start(command).await;
    takes_ours_and_no_forgery(&server, "svix", BOTH).await;
    takes_ours_and_no_forgery(&server, "standardwebhooks", WEBHOOK).await;
}

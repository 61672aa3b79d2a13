//! `deskbell listen`: live events of a server, of Clerk's sender, for handlers that work and that do not.

mod handler;
mod hints;
mod screen;
mod sender;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::UNIX_EPOCH;

use deskbell_sim::Message;
use deskbell_sim::receiver::{Receiver, Reply};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use self::handler::{LOCAL_SECRET, verified};
use super::support::{Serving, deskbell, finish, http_client, now, run, send, within};

const ADMIN_TOKEN: &str = "only-for-this-test";

/// A server on a port that it keeps when it starts again.
struct Deployed {
    directory: TempDir,
    serving: Option<Serving>,
}

impl Deployed {
    async fn start() -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
        let directory = tempfile::tempdir().unwrap();
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\nadmin_token = \"{ADMIN_TOKEN}\"\n\
             [mirror]\nenabled = false\n"
        );
        fs::write(directory.path().join("deskbell.toml"), config).unwrap();
        let serving = Some(Serving::start(directory.path()).await);
        Self { directory, serving }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn serving(&self) -> &Serving {
        self.serving.as_ref().unwrap()
    }

    fn url(&self) -> String {
        format!("http://{}", self.serving().address)
    }

    async fn send(&self, number: u32, event_type: &str) {
        let status =
            send(&http_client(), &self.serving().url(), &message(number, event_type)).await;
        assert_eq!(status, Some(200));
    }

    async fn kill(&mut self) {
        self.serving.take().unwrap().kill().await;
    }

    async fn start_again(&mut self) {
        self.serving = Some(Serving::start(self.path()).await);
    }
}

fn now_ms() -> u128 {
    now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

/// A body with what a program that writes JSON anew would write in another way.
fn message(number: u32, event_type: &str) -> Message {
    let body = format!(
        r#"{{"type":"{event_type}",  "timestamp":{}, "data":{{"id":"user_{number}","note":"a \u0026 b"}}}}"#,
        now_ms()
    );
    // Of the request only the id and the body are sent.
    Message { id: format!("msg_{number}"), event_type: "", body: body.into() }
}

/// A running `listen`.
struct Listener {
    process: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = deskbell(directory);
    command.arg("listen").args(["--secret", LOCAL_SECRET]).args(arguments);
    command
}

impl Listener {
    /// Starts it, and returns once it listens.
    async fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut listener = Self { process, stdout, stderr };
        listener.until_said("signing secret").await;
        listener
    }

    async fn line(&mut self) -> String {
        let line = within(self.stdout.next_line()).await.unwrap();
        line.expect("it goes on")
    }

    async fn json(&mut self) -> Value {
        serde_json::from_str(&self.line().await).unwrap()
    }

    async fn until_said(&mut self, text: &str) -> String {
        loop {
            let line = within(self.stderr.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended before it said: {text}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    async fn interrupt(mut self) -> i32 {
        let id = self.process.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().await.unwrap();
        assert!(sent.success());
        within(self.process.wait()).await.unwrap().code().unwrap_or(-1)
    }
}

async fn acknowledging() -> Receiver {
    Receiver::start(|_| Reply::Status(200)).await.unwrap()
}

#[tokio::test]
async fn nothing_is_missed_or_sent_twice_while_the_server_restarts() {
    let mut deployed = Deployed::start().await;
    let handler = acknowledging().await;
    deployed.send(0, "user.created").await;
    let (from, to) = (deployed.url(), handler.url());
    let arguments = ["--from", &from, "--token", ADMIN_TOKEN, "--forward-to", &to];
    let mut listener = Listener::start(command(deployed.path(), &arguments)).await;
    for number in 1..=20 {
        deployed.send(number, "user.created").await;
    }
    within(handler.wait_for(20)).await;
    for round in 1..=3 {
        deployed.kill().await;
        listener.until_said("connection lost").await;
        deployed.start_again().await;
        // Some come before it is connected again, and some after that.
        for number in round * 20 + 1..=round * 20 + 10 {
            deployed.send(number, "user.created").await;
        }
        listener.until_said("connected again").await;
        for number in round * 20 + 11..=round * 20 + 20 {
            deployed.send(number, "user.created").await;
        }
        within(handler.wait_for(usize::try_from(round * 20 + 20).unwrap())).await;
    }
    assert_eq!(listener.interrupt().await, 0);
    let received = handler.received();
    let ids: Vec<_> = received.iter().map(|request| request.message_id.clone()).collect();
    let expected: Vec<_> = (1..=80).map(|number| format!("msg_{number}")).collect();
    assert_eq!(ids, expected, "in order, each once, and only what came since it listens");
    for request in &received {
        verified(request).unwrap();
        let body = str::from_utf8(&request.body).unwrap();
        assert!(
            body.contains("\\u0026") && body.contains(",  "),
            "the bytes that were signed: {body}"
        );
    }
}

#[tokio::test]
async fn another_log_is_said_and_followed() {
    let mut deployed = Deployed::start().await;
    let handler = acknowledging().await;
    let (from, to) = (deployed.url(), handler.url());
    let arguments = ["--from", &from, "--token", ADMIN_TOKEN, "--forward-to", &to];
    let mut listener = Listener::start(command(deployed.path(), &arguments)).await;
    deployed.send(1, "user.created").await;
    within(handler.wait_for(1)).await;
    deployed.kill().await;
    for file in fs::read_dir(deployed.path()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") && path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
    deployed.start_again().await;
    listener.until_said("another event log").await;
    deployed.send(2, "user.created").await;
    within(handler.wait_for(2)).await;
    assert_eq!(handler.received()[1].message_id, "msg_2");
}

#[tokio::test]
async fn types_an_expression_and_a_time_select() {
    let deployed = Deployed::start().await;
    let handler = acknowledging().await;
    for (number, event_type) in [(1, "user.created"), (2, "role.created"), (3, "user.updated")] {
        deployed.send(number, event_type).await;
    }
    let (from, to) = (deployed.url(), handler.url());
    let when = "subject != 'user_1'";
    let mut arguments = vec!["--from", &*from, "--token", ADMIN_TOKEN, "--forward-to", &*to];
    arguments.extend(["--since", "1h", "--events", "user.*", "--when", when]);
    arguments.extend(["--count", "2", "--json"]);
    let mut listener = Listener::start(command(deployed.path(), &arguments)).await;
    deployed.send(4, "organization.created").await;
    deployed.send(5, "user.deleted").await;
    for id in ["msg_3", "msg_5"] {
        let line = listener.json().await;
        assert_eq!((&line["message_id"], &line["status"]), (&id.into(), &200.into()), "{line}");
    }
    let status = within(listener.process.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0), "it ends after --count events");
}

#[tokio::test]
async fn one_event_is_replayed_and_the_exit_code_says_how_it_went() {
    let deployed = Deployed::start().await;
    deployed.send(1, "email.created").await;
    deployed.send(2, "user.created").await;
    let broken = Receiver::start(|_| Reply::Status(500)).await.unwrap();
    let handler = acknowledging().await;
    for (to, code) in [(handler.url(), 0), (broken.url(), 1)] {
        // The server of the config, with the admin token that it has.
        let arguments = ["--forward-to", &to, "--replay", "msg_1", "--count", "1"];
        let ran = finish(&mut command(deployed.path(), &arguments)).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stdout.contains("→ email.created user_1"), "{}", ran.stdout);
    }
    verified(&handler.received()[0]).unwrap();
    let arguments = ["--forward-to", &handler.url(), "--replay", "msg_9", "--count", "1"];
    let ran = finish(&mut command(deployed.path(), &arguments)).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("there is no event with the message id msg_9"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_one_time_code_goes_only_to_who_names_its_type() {
    let deployed = Deployed::start().await;
    let handler = acknowledging().await;
    let to = handler.url();
    let arguments = ["--forward-to", &to, "--count", "2"];
    let mut listener = Listener::start(command(deployed.path(), &arguments)).await;
    deployed.send(1, "sms.created").await;
    deployed.send(2, "user.created").await;
    let line = listener.line().await;
    assert!(line.contains("→ sms.created user_1 (not sent: it has a one-time code"), "{line}");
    within(handler.wait_for(1)).await;
    assert_eq!(handler.received()[0].message_id, "msg_2");
    within(listener.process.wait()).await.unwrap();
    let arguments =
        ["--forward-to", &to, "--events", "sms.created", "--since", "1h", "--count", "1"];
    let ran = finish(&mut command(deployed.path(), &arguments)).await;
    assert_eq!((ran.code, handler.count()), (0, 2), "{ran:?}");
}

#[tokio::test]
async fn what_cannot_work_is_said_at_once() {
    let deployed = Deployed::start().await;
    let from = deployed.url();
    let path = deployed.path();
    let to = "http://localhost:3000/api/webhooks";
    let token = run(path, &["tokens", "create", "--role", "viewer", "--name", "board"]).await;
    let viewer = token.stdout.trim();
    for (arguments, code, said) in [
        (&["--from", &*from, "--forward-to", to][..], 2, "there is no token for"),
        (
            &["--from", &*from, "--token", "wrong", "--forward-to", to],
            1,
            "does not accept the token",
        ),
        (&["--from", &*from, "--token", viewer, "--forward-to", to], 1, "--role reader"),
        (&["--from", "http://127.0.0.1:1", "--token", "t", "--forward-to", to], 1, "cannot reach"),
        (&["--from", "ftp://x", "--forward-to", to], 2, "expected a URL such as https://hooks"),
        (&["--forward-to", "https://example.com/x"], 2, "--allow-external"),
        (&["--forward-to", to, "--when", "data.("], 2, "--when: invalid expression"),
        (&["--forward-to", to, "--events", "user created"], 2, "expected a type or a pattern"),
        (&["--forward-to", to, "--secret", "sk_test_x"], 2, "invalid signing secret"),
        (&[], 2, "--forward-to"),
    ] {
        let ran = finish(deskbell(path).arg("listen").args(arguments)).await;
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        let text = ran.stderr.replace('│', " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}

#[tokio::test]
async fn the_secret_of_this_machine_stays_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let print = || async {
        let mut command = deskbell(directory.path());
        command.env("HOME", directory.path()).args(["listen", "--print-secret"]);
        finish(&mut command).await
    };
    let first = print().await;
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.stdout.starts_with("whsec_"), "{}", first.stdout);
    assert_eq!(print().await.stdout, first.stdout);
    let file = directory.path().join(".local/state/deskbell/listen-secret");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "nobody else reads it");
}

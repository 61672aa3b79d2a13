//! The programs that readers try the examples with print what the READMEs show.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::directory;
use super::recipe::Recipe;
use crate::program::support::within;

/// One of `examples/*.py`, and what it prints. It ends when it is dropped.
struct Python {
    _process: Child,
    port: String,
    prints: Lines<BufReader<ChildStdout>>,
}

impl Python {
    async fn start(script: &str) -> Self {
        let mut process = Command::new("python3")
            .arg(directory(script))
            .arg("0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = next(&mut lines(process.stderr.take().unwrap())).await;
        let prints = lines(process.stdout.take().unwrap());
        let port = said.strip_prefix("listening on port ").unwrap().to_owned();
        Self { _process: process, port, prints }
    }

    /// Asserts that it prints this.
    async fn prints(&mut self, text: &str) {
        for line in text.lines() {
            assert_eq!(next(&mut self.prints).await, line);
        }
    }
}

pub(super) fn lines<T: AsyncRead>(stream: T) -> Lines<BufReader<T>> {
    BufReader::new(stream).lines()
}

pub(super) async fn next<T: AsyncRead + Unpin>(lines: &mut Lines<BufReader<T>>) -> String {
    within(lines.next_line()).await.unwrap().expect("a line")
}

#[tokio::test]
async fn a_message_and_an_email_are_printed() {
    let (mut mailbox, mut channel) =
        (Python::start("mailbox.py").await, Python::start("receiver.py").await);
    let smtp = format!("smtp://127.0.0.1:{}?tls=none", mailbox.port);
    let slack = format!("http://127.0.0.1:{}/services/T0/B0/x", channel.port);
    let recipe = Recipe::new("welcome", &[("SMTP_URL", smtp), ("SLACK_WEBHOOK_URL", slack)]);
    let serving = recipe.serve().await;
    recipe.follow_readme(&serving).await;
    let shown = recipe.shown();
    mailbox.prints(&shown[0]).await;
    channel.prints(&shown[1]).await;
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn an_event_is_printed() {
    let mut crm = Python::start("receiver.py").await;
    let variables = [
        ("CRM_URL", format!("http://127.0.0.1:{}/", crm.port)),
        ("CRM_WEBHOOK_SECRET", "whsec_Y3JtLXNlY3JldC1vZi0yNC1ieXRlcyEh".to_owned()),
    ];
    let recipe = Recipe::new("paying", &variables);
    let serving = recipe.serve().await;
    recipe.follow_readme(&serving).await;
    crm.prints(&recipe.shown()[0]).await;
    assert_eq!(serving.terminate().await.0, 0);
}

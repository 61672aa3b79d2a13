//! A copy of an example that delivers, with receivers on this machine.

use deskbell_sim::receiver::{Received, Receiver, Reply};
use deskbell_store::deliveries::{DeliveryQueries, DeliveryState};
use deskbell_store::{Seq, SqliteStore};
use serde_json::Value;
use tempfile::TempDir;

use super::directory;
use super::readme::blocks;
use crate::program::support::{SECRET, Serving, deskbell, finish, within};

pub(super) struct Recipe {
    name: &'static str,
    directory: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Recipe {
    /// The example's files as they are, but for the port that it listens on.
    pub(super) fn new(name: &'static str, variables: &[(&'static str, String)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(super::directory(name)).unwrap() {
            let from = entry.unwrap().path();
            std::fs::copy(&from, directory.path().join(from.file_name().unwrap())).unwrap();
        }
        let recipe = Self { name, directory, variables: variables.to_vec() };
        recipe.rewrite(|config| format!("[server]\nlisten = \"127.0.0.1:0\"\n\n{config}"));
        recipe
    }

    /// Makes the config another one.
    pub(super) fn rewrite(&self, change: impl Fn(String) -> String) {
        let file = self.directory.path().join("deskbell.toml");
        let config = std::fs::read_to_string(&file).unwrap();
        let changed = change(config.clone());
        assert_ne!(changed, config);
        std::fs::write(file, changed).unwrap();
    }

    pub(super) async fn serve(&self) -> Serving {
        let mut command = deskbell(self.directory.path());
        command.envs(self.variables.iter().cloned());
        Serving::of(command).await
    }

    /// `deskbell trigger`, with these arguments.
    pub(super) async fn trigger(&self, serving: &Serving, arguments: &[&str]) {
        let mut command = deskbell(self.directory.path());
        command.envs(self.variables.iter().cloned());
        let sample = (!arguments.contains(&"--sample")).then_some("--sample");
        command.arg("trigger").args(sample).args(arguments).args(["--url", &serving.url()]);
        let ran = finish(&mut command).await;
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    }

    fn readme(&self) -> String {
        std::fs::read_to_string(directory(self.name).join("README.md")).unwrap()
    }

    /// Triggers what the README triggers.
    pub(super) async fn follow_readme(&self, serving: &Serving) {
        let readme = self.readme();
        let exported = format!("export CLERK_WEBHOOK_SIGNING_SECRET={SECRET}");
        let mut steps = vec!["deskbell serve".to_owned(), exported];
        steps.extend(self.variables.iter().map(|(name, _)| format!("{name}=")));
        let lines = blocks(&readme, "sh").concat();
        for step in &steps {
            assert!(lines.iter().any(|line| line.contains(step.as_str())), "{step}");
        }
        for line in lines {
            if let Some(arguments) = line.strip_prefix("deskbell trigger ") {
                self.trigger(serving, &arguments.split(' ').collect::<Vec<_>>()).await;
            }
        }
    }

    /// What the README shows that the receivers print.
    pub(super) fn shown(&self) -> Vec<String> {
        let readme = self.readme();
        blocks(&readme, "text").into_iter().map(|lines| lines.join("\n")).collect()
    }

    /// What became of an event once the program has ended: each destination that it was for, and
    /// how many attempts it took.
    pub(super) async fn delivered(&self, seq: i64) -> Vec<(String, usize)> {
        let file = self.directory.path().join("deskbell.db");
        let store = SqliteStore::open(&file).await.unwrap();
        let deliveries = store.deliveries_of(Seq::new(seq)).await.unwrap();
        let delivered = deliveries.into_iter().map(|one| {
            assert!(matches!(one.state, DeliveryState::Delivered { .. }), "{one:?}");
            (one.key.destination.to_string(), one.attempts.len())
        });
        delivered.collect()
    }
}

/// What answers every request with 200.
pub(super) async fn service() -> Receiver {
    Receiver::start(|_| Reply::Status(200)).await.unwrap()
}

/// The bodies of the first requests, once there are so many.
pub(super) async fn bodies(receiver: &Receiver, count: usize) -> Vec<Value> {
    within(receiver.wait_for(count)).await;
    let read = |received: &Received| serde_json::from_slice(&received.body).unwrap();
    receiver.received().iter().map(read).collect()
}

/// An event as `receiver.py` prints it.
pub(super) fn printed(event: &Received) -> String {
    let body: Value = serde_json::from_slice(&event.body).unwrap();
    format!("{} {}", event.message_id, body["type"].as_str().unwrap())
}

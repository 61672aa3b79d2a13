//! Alerts reach people and programs, once each, and so does their end.

mod destinations;
mod mirrors;
mod replicas;
mod silence;
mod sources;

use std::collections::BTreeSet;
use std::path::Path;

use clerk_webhooks::{Secret, Verifier};
use deskbell_sim::receiver::{Received, Receiver, Reply};
use serde_json::Value;

use super::support::{ENDPOINT_SECRET, SECRET, Serving, directory, now, run, within};

/// Keys of `[alerts]` by which nothing takes minutes.
const SOON: &str = "failing_after = \"1s\"\nmirror_after = \"1s\"\n";

/// A receiver of alerts that the config names `hook`.
struct Hook(Receiver);

impl Hook {
    async fn start() -> Self {
        Self(Receiver::start(|_| Reply::Status(200)).await.unwrap())
    }

    /// A config with alerts to this receiver, these further keys of `[alerts]`, and what follows.
    fn configure(&self, directory: &Path, keys: &str, more: &str) {
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n\n[alerts]\nto = [\"hook\"]\n{keys}\n\
             [[destination]]\nname = \"hook\"\ntype = \"http\"\nurl = \"{}\"\n\
             secret = \"{ENDPOINT_SECRET}\"\nallow_hosts = [\"127.0.0.1\"]\nevents = []\n\n{more}\n",
            self.0.url()
        );
        std::fs::write(directory.join("deskbell.toml"), config).unwrap();
    }

    /// The first so many alerts, when they have come; each is signed.
    async fn alerts(&self, count: usize) -> Vec<Value> {
        within(self.0.wait_for(count)).await;
        self.0.received().iter().map(alert).collect()
    }

    /// The message ids of all that have come so far: one that is sent again has the same.
    fn ids(&self) -> BTreeSet<String> {
        self.0.received().into_iter().map(|received| received.message_id).collect()
    }

    /// The kind, the state and the subject of the first so many.
    async fn summaries(&self, count: usize) -> Vec<(String, String, String)> {
        let alerts = self.alerts(count).await;
        let text = |alert: &Value, name: &str| alert["data"][name].as_str().unwrap().to_owned();
        let summaries = |alert| (text(alert, "kind"), text(alert, "state"), text(alert, "subject"));
        alerts.iter().map(summaries).collect()
    }
}

/// What a request bears, whose signature must be valid as any forwarded event's.
fn alert(received: &Received) -> Value {
    let verifier = Verifier::new(Secret::parse(ENDPOINT_SECRET).unwrap());
    verifier.verify(&received.headers, &received.body, now()).unwrap();
    let alert: Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!((&alert["type"], &alert["data"]["version"]), (&"deskbell.alert".into(), &1.into()));
    alert
}

/// An `http` destination named `crm`, with these further keys.
fn crm(receiver: &Receiver, keys: &str) -> String {
    format!(
        "[[destination]]\nname = \"crm\"\ntype = \"http\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n\
         allow_hosts = [\"127.0.0.1\"]\n{keys}\n",
        receiver.url()
    )
}

async fn trigger(directory: &Path, serving: &Serving) {
    let ran =
        run(directory, &["trigger", "--sample", "user.created", "--url", &serving.url()]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[tokio::test]
async fn a_slack_channel_hears_of_a_destination_that_is_gone() {
    let gone = Receiver::start(|_| Reply::Status(410)).await.unwrap();
    let slack = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let directory = directory();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[alerts]\nto = [\"ops\"]\n\n{}\n\
         [[destination]]\nname = \"ops\"\ntype = \"slack\"\nwebhook_url = \"{}services/T/B/x\"\nevents = []\n",
        crm(&gone, ""),
        slack.url(),
    );
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    let serving = Serving::start(directory.path()).await;
    trigger(directory.path(), &serving).await;
    // That it is disabled, and that the delivery it answered so failed permanently.
    within(slack.wait_for(2)).await;
    assert_eq!(serving.terminate().await.0, 0);
    let texts: Vec<_> = slack
        .received()
        .iter()
        .map(|message| {
            let message: Value = serde_json::from_slice(&message.body).unwrap();
            message["text"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(texts.len(), 2, "two alerts, and no event: {texts:?}");
    let disabled = texts.iter().find(|text| text.contains("crm is disabled")).unwrap();
    for wanted in ["410 Gone", "deskbell destinations enable crm"] {
        assert!(disabled.contains(wanted), "{wanted}: {disabled}");
    }
    let failed = "crm: 1 delivery failed permanently";
    assert!(texts.iter().any(|text| text.contains(failed)), "{texts:?}");
    assert_eq!(gone.count(), 1);
}

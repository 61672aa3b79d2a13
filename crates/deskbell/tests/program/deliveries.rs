//! `deskbell replay`, `destinations`, `events` and `dead-letters` over deliveries to a receiver.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use deskbell_sim::receiver::{Receiver, Reply};
use serde_json::Value;
use tempfile::TempDir;

use super::support::{Ran, SECRET, Serving, directory, mirror_at, run, within};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A receiver whose answer can be changed, and a directory whose config has it as `crm`.
struct Sandbox {
    directory: TempDir,
    receiver: Receiver,
    status: Arc<AtomicU16>,
}

impl Sandbox {
    async fn new(status: u16) -> Self {
        let status = Arc::new(AtomicU16::new(status));
        let answer = Arc::clone(&status);
        let receiver = Receiver::start(move |_| Reply::Status(answer.load(Ordering::SeqCst)));
        let sandbox = Self { directory: directory(), receiver: receiver.await.unwrap(), status };
        sandbox.configure("events = [\"user.created\"]");
        sandbox
    }

    /// Writes the config, with these keys of `crm`.
    fn configure(&self, keys: &str) {
        let url = self.receiver.url();
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n\n\
             [[destination]]\nname = \"mirror\"\ntype = \"database\"\nurl = \"sqlite://clerk.db\"\n\n\
             [[destination]]\nname = \"crm\"\ntype = \"http\"\nurl = \"{url}hook?key=hunter2\"\n\
             secret = \"{SECRET}\"\nallow_hosts = [\"127.0.0.1\"]\n\
             retry = {{ schedule = [], then_every = \"never\" }}\n{keys}\n"
        );
        std::fs::write(self.path().join("deskbell.toml"), config).unwrap();
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        run(self.path(), arguments).await
    }

    /// As [`run`](Self::run), and reads what it prints.
    async fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat()).await;
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    async fn trigger(&self, serving: &Serving, event_type: &str, message_id: &str) {
        let url = serving.url();
        let ran =
            self.run(&["trigger", "--sample", event_type, "--url", &url, "--id", message_id]).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }

    /// The event, once it is as wanted.
    async fn event(&self, message_id: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut look = tokio::time::interval(LOOK_EVERY);
        within(async {
            loop {
                look.tick().await;
                let event = self.json(&["events", "show", message_id]).await;
                if is_wanted(&event) {
                    break event;
                }
            }
        })
        .await
    }

    async fn delivery_in(&self, message_id: &str, state: &str) -> Value {
        self.event(message_id, |event| event["deliveries"][0]["state"] == state).await
    }
}

/// Ids, times and durations are those of the run.
fn assert_output(name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let lines = text.lines().map(|line| {
        let words = line.split(' ').collect::<Vec<_>>();
        let words = words.iter().enumerate().map(|(at, word)| {
            let is_time =
                word.len() >= 24 && word.contains("T") && word.trim_end_matches(':').ends_with('Z');
            let is_took = at > 0 && words[at - 1] == "took";
            match (is_time, is_took) {
                (true, _) => "YYYY-MM-DDThh:mm:ss.mmmZ".to_owned() + &word[24..],
                (_, true) => "N".to_owned(),
                _ => (*word).to_owned(),
            }
        });
        words.collect::<Vec<_>>().join(" ")
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[tokio::test]
async fn an_event_is_replayed_beside_a_running_serve() {
    let sandbox = Sandbox::new(200).await;
    let serving = Serving::start(sandbox.path()).await;
    sandbox.trigger(&serving, "user.created", "msg_1").await;
    within(sandbox.receiver.wait_for(1)).await;
    sandbox.delivery_in("msg_1", "delivered").await;
    let dry = sandbox.json(&["replay", "msg_1", "--dry-run"]).await;
    assert_eq!(dry, serde_json::json!({ "deliveries": 1, "dry_run": true }));
    assert_eq!(sandbox.receiver.received().len(), 1, "nothing was sent");
    let ran = sandbox.run(&["replay", "msg_1"]).await;
    assert_eq!(
        ran.stdout, "1 delivery queued for the running `deskbell serve`\n",
        "{}",
        ran.stderr
    );
    within(sandbox.receiver.wait_for(2)).await;
    assert_eq!(sandbox.receiver.received()[1].message_id, "msg_1");
    let event = sandbox
        .event("msg_1", |event| event["deliveries"][0]["attempts"].as_array().unwrap().len() == 2)
        .await;
    assert_eq!(event["deliveries"][0]["attempts"][1]["number"], 2);
    let unknown = sandbox.run(&["replay", "msg_9"]).await;
    assert_eq!(unknown.code, 1);
    assert!(unknown.stderr.contains("event \"msg_9\" not found"), "{}", unknown.stderr);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn without_a_running_serve_a_replay_waits_for_the_next() {
    let sandbox = Sandbox::new(400).await;
    let serving = Serving::start(sandbox.path()).await;
    for message in ["msg_1", "msg_2"] {
        sandbox.trigger(&serving, "user.created", message).await;
        sandbox.delivery_in(message, "dead_lettered").await;
    }
    assert_eq!(serving.terminate().await.0, 0);
    let since = ["replay", "--dead-lettered-since", "1h", "--destination", "crm"];
    for (more, count) in [
        (&["--dry-run"][..], 2),
        (&["--dry-run", "--type", "user.*"], 2),
        (&["--dry-run", "--type", "organization.*"], 0),
        (&["--dry-run", "--subject", "user_9"], 0),
        (&["--dry-run", "--limit", "1"], 1),
        (&["--limit", "1"], 1),
        (&["--dry-run"], 1),
    ] {
        assert_eq!(sandbox.json(&[&since, more].concat()).await["deliveries"], count, "{more:?}");
    }
    let ran = sandbox.run(&since).await;
    let said = "1 delivery queued until `deskbell serve` runs\n";
    assert_eq!(ran.stdout, said, "{}", ran.stderr);
    sandbox.answer(200);
    let serving = Serving::start(sandbox.path()).await;
    for message in ["msg_1", "msg_2"] {
        sandbox.delivery_in(message, "delivered").await;
    }
    assert_eq!(serving.terminate().await.0, 0);
    let ran = sandbox.run(&since).await;
    assert_eq!(ran.stdout, "nothing to send again\n", "{}", ran.stderr);
}

#[tokio::test]
async fn what_a_wider_filter_wants_is_missing_and_replayed() {
    let sandbox = Sandbox::new(200).await;
    let serving = Serving::start(sandbox.path()).await;
    sandbox.trigger(&serving, "user.updated", "msg_1").await;
    let unwanted = |event: &Value| !event["unwanted"].as_array().unwrap().is_empty();
    let event = sandbox.event("msg_1", unwanted).await;
    let reason = event["unwanted"][0]["reason"].as_str().unwrap();
    assert_eq!(reason, "`events` does not include user.updated");
    mirror_at(sandbox.path(), 1).await;
    assert_output("events_show_unwanted", &sandbox.run(&["events", "show", "msg_1"]).await.stdout);
    assert_eq!(serving.terminate().await.0, 0);
    sandbox.configure("events = [\"user.*\"]");
    let serving = Serving::start(sandbox.path()).await;
    assert_eq!(sandbox.json(&["replay", "--missing-since", "1d"]).await["deliveries"], 1);
    within(sandbox.receiver.wait_for(1)).await;
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn wrong_replays_are_refused() {
    let sandbox = Sandbox::new(200).await;
    let nothing = sandbox.run(&["replay", "msg_1"]).await;
    assert_eq!(nothing.code, 1);
    assert!(nothing.stderr.contains("no event log found at"), "{}", nothing.stderr);
    assert!(!sandbox.path().join("deskbell.db").exists(), "nothing was touched");
    Serving::start(sandbox.path()).await.terminate().await;
    for (arguments, wanted) in [
        (&["replay"][..], "MESSAGE_ID"),
        (&["replay", "msg_1", "--missing-since", "1h"], "--missing-since"),
        (&["replay", "msg_1", "--type", "user.*"], "--type"),
        (&["replay", "--missing-since", "yesterday"], "2026-11-21T08:00:00Z"),
        (&["replay", "msg_1", "--destination", "crn"], "did you mean `crm`"),
        (&["replay", "msg_1", "--destination", "mirror"], "deskbell rebuild mirror"),
        (&["destinations", "enable", "crn"], "did you mean `crm`"),
        (&["destinations", "enable", "mirror"], "deskbell rebuild mirror"),
    ] {
        let ran = sandbox.run(arguments).await;
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(wanted), "{arguments:?}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn a_disabled_destination_is_shown_and_enabled() {
    let sandbox = Sandbox::new(410).await;
    let before = sandbox.run(&["destinations"]).await;
    assert_output("destinations_before", &before.stdout);
    let serving = Serving::start(sandbox.path()).await;
    sandbox.trigger(&serving, "user.created", "msg_1").await;
    let mut look = tokio::time::interval(LOOK_EVERY);
    // The other events are alerts: that it was disabled, and that its delivery is a dead letter.
    let crm = within(async {
        loop {
            look.tick().await;
            let all = sandbox.json(&["destinations"]).await;
            let (mirror, crm) = (&all[0], &all[1]);
            if crm["state"] == "disabled" && crm["routed"] == 3 && mirror["routed"] == 3 {
                break crm.clone();
            }
        }
    })
    .await;
    assert_eq!((&crm["type"], &crm["enabled"]), (&"http".into(), &true.into()), "{crm}");
    assert!(crm["reason"].as_str().unwrap().contains("410"), "{crm}");
    assert_output("destinations_disabled", &sandbox.run(&["destinations", "list"]).await.stdout);
    sandbox.answer(200);
    let ran = sandbox.run(&["replay", "msg_1"]).await;
    assert!(ran.stderr.contains("crm is disabled"), "{}", ran.stderr);
    let ran = sandbox.run(&["destinations", "enable", "crm"]).await;
    assert_eq!(ran.stdout, "crm re-enabled\n", "{}", ran.stderr);
    sandbox.delivery_in("msg_1", "delivered").await;
    assert_eq!(sandbox.json(&["destinations"]).await[1]["state"], "ok");
    assert_eq!(serving.terminate().await.0, 0);
    let ran = sandbox.run(&["destinations", "enable", "crm"]).await;
    let said = "crm re-enabled; deliveries start when `deskbell serve` runs\n";
    assert_eq!(ran.stdout, said, "{}", ran.stderr);
}

#[tokio::test]
async fn one_that_the_config_does_not_start_is_not_sent_to() {
    let sandbox = Sandbox::new(200).await;
    sandbox.configure("enabled = false");
    Serving::start(sandbox.path()).await.terminate().await;
    for arguments in
        [&["destinations", "enable", "crm"][..], &["replay", "msg_1", "--destination", "crm"]]
    {
        let ran = sandbox.run(arguments).await;
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        assert!(ran.stderr.contains("`enabled = false`"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn an_event_is_shown_with_its_attempts_and_without_its_payload() {
    let sandbox = Sandbox::new(200).await;
    let serving = Serving::start(sandbox.path()).await;
    sandbox.trigger(&serving, "user.created", "msg_1").await;
    sandbox.delivery_in("msg_1", "delivered").await;
    sandbox.answer(400);
    sandbox.trigger(&serving, "user.created", "msg_2").await;
    let event = sandbox.delivery_in("msg_2", "dead_lettered").await;
    assert_eq!(event["payload"], Value::Null);
    mirror_at(sandbox.path(), 2).await;
    for (name, arguments) in [
        ("events_show_delivered", &["events", "show", "msg_1"][..]),
        ("events_show_dead_lettered", &["events", "show", "msg_2", "--replies"]),
        // Without the alert about the dead letter, which comes within a second.
        ("events_list", &["events", "list", "--type", "user.*"]),
    ] {
        let ran = sandbox.run(arguments).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stdout.contains("email_addresses"), "{}", ran.stdout);
        assert_output(name, &ran.stdout);
    }
    let whole = sandbox.json(&["events", "show", "msg_1", "--payload"]).await;
    assert_eq!(whole["payload"]["type"], "user.created");
    let ran = sandbox.run(&["events", "show", "msg_1", "--payload"]).await;
    assert!(ran.stdout.contains("email_addresses"), "{}", ran.stdout);
    let ran = sandbox.run(&["events", "show", "msg_9"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("event `msg_9` not found"), "{}", ran.stderr);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn events_are_listed_newest_first_and_chosen() {
    let sandbox = Sandbox::new(200).await;
    let serving = Serving::start(sandbox.path()).await;
    for (event_type, message) in [
        ("user.created", "msg_1"),
        ("organization.created", "msg_2"),
        ("user.updated", "msg_3"),
        ("user.deleted", "msg_4"),
    ] {
        sandbox.trigger(&serving, event_type, message).await;
    }
    let listed = sandbox.json(&["events", "list"]).await;
    let subject = listed[3]["subject"].as_str().unwrap().to_owned();
    for (arguments, wanted) in [
        (&[][..], &["msg_4", "msg_3", "msg_2", "msg_1"][..]),
        (&["--limit", "2"], &["msg_4", "msg_3"]),
        (&["--type", "user.*", "--limit", "2"], &["msg_4", "msg_3"]),
        (&["--type", "user.created", "--type", "organization.*"], &["msg_2", "msg_1"]),
        (&["--since", "1h", "--type", "user.created"], &["msg_1"]),
        (&["--since", "2999-01-01T00:00:00Z"], &[]),
        (&["--subject", &*subject, "--type", "user.created"], &["msg_1"]),
    ] {
        let listed = sandbox.json(&[&["events", "list"], arguments].concat()).await;
        let listed: Vec<_> =
            listed.as_array().unwrap().iter().map(|one| one["message_id"].clone()).collect();
        assert_eq!(listed, *wanted, "{arguments:?}");
    }
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_delivery_that_was_given_up_on_is_a_dead_letter_and_tried_again() {
    let sandbox = Sandbox::new(400).await;
    let serving = Serving::start(sandbox.path()).await;
    for message in ["msg_1", "msg_2", "msg_3"] {
        sandbox.trigger(&serving, "user.created", message).await;
        sandbox.delivery_in(message, "dead_lettered").await;
    }
    let list = sandbox.run(&["dead-letters", "list"]).await;
    assert_output("dead_letters_list_delivery", &list.stdout);
    let show = sandbox.run(&["dead-letters", "show", "msg_1", "--destination", "crm"]).await;
    assert_output("dead_letters_show_delivery", &show.stdout);
    sandbox.answer(200);
    let ran = sandbox.run(&["dead-letters", "retry", "msg_1"]).await;
    assert_eq!(
        ran.stdout, "1 delivery queued for the running `deskbell serve`\n",
        "{}",
        ran.stderr
    );
    sandbox.delivery_in("msg_1", "delivered").await;
    assert_eq!(serving.terminate().await.0, 0);
    let ran = sandbox.run(&["dead-letters", "retry", "msg_2", "--destination", "mirror"]).await;
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert_eq!(sandbox.json(&["dead-letters", "retry", "--all"]).await["asked"], 2);
    assert_eq!(sandbox.json(&["dead-letters", "list"]).await, serde_json::json!([]));
    let serving = Serving::start(sandbox.path()).await;
    sandbox.delivery_in("msg_2", "delivered").await;
    sandbox.delivery_in("msg_3", "delivered").await;
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn the_greeting_names_the_host_and_no_secret() {
    let sandbox = Sandbox::new(200).await;
    let (code, said) = Serving::start(sandbox.path()).await.terminate().await;
    let said = said.join("\n");
    assert_eq!(code, 0, "{said}");
    let host = sandbox.receiver.url();
    let wanted = format!("  http   crm          {}\n", host.trim_end_matches('/'));
    assert!(said.contains(&wanted), "{said}");
    assert!(!said.contains("hunter2") && !said.contains("MfKQ9r8"), "{said}");
}

//! A destination that fails everything, and deliveries that fail permanently.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use std::time::Duration;

use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_sim::{Message, Scenario, World};
use tokio::time::Instant;

use super::{Hook, SOON, crm, trigger};
use crate::program::support::{Serving, directory, http_client, run, send, within};

const KIND: &str = "delivery.dead_letters";

/// A receiver that answers with a status that can be changed.
async fn answering(status: u16) -> (Arc<AtomicU16>, Receiver) {
    let answer = Arc::new(AtomicU16::new(status));
    let current = Arc::clone(&answer);
    let receiver = Receiver::start(move |_| Reply::Status(current.load(Ordering::Relaxed))).await;
    (answer, receiver.unwrap())
}

#[tokio::test]
async fn a_timer_disables_it_although_the_next_attempt_is_hours_away() {
    let ((answer, receiver), hook) = (answering(503).await, Hook::start().await);
    let directory = directory();
    let path = directory.path();
    let schedule = "retry = { schedule = [\"10h\"], then_every = \"10h\" }";
    hook.configure(path, "disable_after = \"20s\"", &crm(&receiver, schedule));
    let serving = Serving::start(path).await;
    trigger(path, &serving).await;
    let summaries = hook.summaries(4).await;
    for (kind, state, subject) in &summaries[..3] {
        assert_eq!((&**kind, &**state), ("destination.failing", "firing"), "{summaries:?}");
        let words = "crm is failing, and will be disabled in ";
        assert!(subject.starts_with(words), "at 50, 70 and 90 %: {summaries:?}");
    }
    let disabled = ("destination.disabled", "firing", "crm is disabled");
    assert_eq!((&*summaries[3].0, &*summaries[3].1, &*summaries[3].2), disabled);
    // At the beginning, and twice in the last quarter.
    assert_eq!(receiver.count(), 3);
    let alerts = hook.alerts(4).await;
    for (alert, percent) in alerts.iter().zip([50, 70, 90]) {
        assert_eq!(alert["data"]["counts"]["disabled_percent"], percent);
        assert_eq!(alert["data"]["condition"], alerts[3]["data"]["condition"]);
    }
    answer.store(200, Ordering::Relaxed);
    assert_eq!(run(path, &["destinations", "enable", "crm"]).await.code, 0);
    let enabled = ("destination.disabled", "resolved", "crm is enabled again");
    let summaries = hook.summaries(5).await;
    assert_eq!((&*summaries[4].0, &*summaries[4].1, &*summaries[4].2), enabled);
    let shown = run(path, &["destinations", "--json"]).await;
    assert!(shown.stdout.contains("\"pending\": 1"), "it is kept: {}", shown.stdout);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn failing_for_long_is_told_and_that_it_works_again() {
    let ((answer, receiver), hook) = (answering(503).await, Hook::start().await);
    let directory = directory();
    let path = directory.path();
    let retry = "retry = { schedule = [\"1s\"], then_every = \"1s\" }";
    hook.configure(path, SOON, &crm(&receiver, retry));
    let serving = Serving::start(path).await;
    trigger(path, &serving).await;
    let summaries = hook.summaries(1).await;
    assert_eq!(summaries[0].0, "destination.failing");
    assert_eq!((&*summaries[0].1, &*summaries[0].2), ("firing", "crm is failing"));
    answer.store(200, Ordering::Relaxed);
    let summaries = hook.summaries(2).await;
    assert_eq!(summaries[1].0, "destination.failing");
    assert_eq!((&*summaries[1].1, &*summaries[1].2), ("resolved", "crm works again"));
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_storm_of_dead_letters_is_a_digest_now_and_then_and_its_end_is_told() {
    const EVENTS: u64 = 300;
    const DIGEST: Duration = Duration::from_secs(5);
    let ((answer, receiver), hook) = (answering(400).await, Hook::start().await);
    let directory = directory();
    let path = directory.path();
    // Slack's 400 is about the message: it is given up on, and the next one attempted at once.
    let slack = format!(
        "[[destination]]\nname = \"crm\"\ntype = \"slack\"\nevents = [\"user.*\"]\n\
         webhook_url = \"{}services/T/B/x\"\ntext = \"{{{{ type }}}}\"",
        receiver.url()
    );
    hook.configure(path, "digest_every = \"5s\"", &slack);
    let serving = Serving::start(path).await;
    let (http, began) = (http_client(), Instant::now());
    let about_users = |message: &Message| message.event_type.starts_with("user.");
    let messages = World::new(&Scenario::new(7, 10_000)).filter(about_users);
    for message in messages.take(usize::try_from(EVENTS).unwrap()) {
        assert_eq!(send(&http, &serving.url(), &message).await, Some(200));
    }
    let mut alerts = 0;
    let mut letters = 0;
    while letters < EVENTS {
        alerts += 1;
        let alert = &hook.alerts(alerts).await[alerts - 1]["data"];
        assert_eq!((&alert["kind"], &alert["state"]), (&KIND.into(), &"firing".into()));
        letters += alert["counts"]["dead_letters"].as_u64().unwrap();
    }
    assert_eq!(letters, EVENTS);
    let digests = began.elapsed().as_secs() / DIGEST.as_secs();
    assert!(alerts as u64 <= 1 + digests, "{alerts} alerts in the time of {digests} digests");
    answer.store(200, Ordering::Relaxed);
    let all = ["dead-letters", "retry", "--all", "--destination", "crm"];
    let retried = run(path, &all).await;
    assert_eq!(retried.code, 0, "{}", retried.stderr);
    let summaries = hook.summaries(alerts + 1).await;
    assert_eq!(
        (&*summaries[alerts].1, &*summaries[alerts].2),
        ("resolved", "crm: no dead letters are left")
    );
    assert_eq!(serving.terminate().await.0, 0);
    assert_eq!(hook.ids().len(), alerts + 1);
}

#[tokio::test]
async fn recipients_that_refuse_every_alert_are_not_alerted_about_without_end() {
    let ((answer, gone), (_, slack)) = (answering(410).await, answering(400).await);
    let directory = directory();
    let path = directory.path();
    let recipient = |name: &str| {
        format!(
            "[[destination]]\nname = \"{name}\"\ntype = \"slack\"\nevents = []\n\
             webhook_url = \"{}services/T/B/x\"\n",
            slack.url()
        )
    };
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[alerts]\nto = [\"one\", \"other\"]\n\
         digest_every = \"1s\"\n{}{}{}",
        recipient("one"),
        recipient("other"),
        crm(&gone, "")
    );
    std::fs::write(path.join("deskbell.toml"), config).unwrap();
    let serving = Serving::start(path).await;
    trigger(path, &serving).await;
    // That it is disabled, and that its delivery failed permanently: to each of the two, once.
    within(slack.wait_for(4)).await;
    answer.store(200, Ordering::Relaxed);
    assert_eq!(run(path, &["destinations", "enable", "crm"]).await.code, 0);
    within(slack.wait_for(6)).await;
    assert_eq!(serving.terminate().await.0, 0);
    let listed = run(path, &["--json", "events", "list"]).await;
    let events: Vec<serde_json::Value> = serde_json::from_str(&listed.stdout).unwrap();
    let alerts = events.iter().filter(|event| event["type"] == "deskbell.alert").count();
    assert_eq!((alerts, slack.count()), (3, 6), "{}", listed.stdout);
}

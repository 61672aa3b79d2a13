//! What is stored about users who are gone is in none of the log's bytes any more.

use std::path::Path;
use std::time::Duration;

use deskbell_sim::Message;
use deskbell_sim::receiver::{Receiver, Reply};
use serde_json::{Value, json};

use super::support::{
    ENDPOINT_SECRET, Serving, directory, http_client, mirror_at, run, send, within,
};

const USERS: usize = 30;
/// Events about each user, before the one that says that the user is gone.
const EVENTS: usize = 3;
const STAYS: &str = "stays@example.com";
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A mirror, and two destinations that answer with what they were sent.
fn config(directory: &Path, url: &str) {
    let hook = |name: &str| {
        format!(
            "[[destination]]\nname = \"{name}\"\ntype = \"http\"\nurl = \"{url}{name}\"\n\
             secret = \"{ENDPOINT_SECRET}\"\nallow_hosts = [\"127.0.0.1\"]\n\
             retry = {{ schedule = [], then_every = \"never\" }}\n\n"
        )
    };
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[store]\nerase_on_delete = true\n\n\
         [[destination]]\nname = \"mirror\"\ntype = \"database\"\nurl = \"sqlite://clerk.db\"\n\n{}{}",
        hook("takes"),
        hook("refuses"),
    );
    std::fs::write(directory.join("deskbell.toml"), config).unwrap();
}

fn message(id: &str, event_type: &'static str, data: &Value) -> Message {
    let body = json!({ "object": "event", "type": event_type, "data": data });
    Message { id: id.to_owned(), event_type, body: body.to_string().into() }
}

fn user(id: &str, address: &str, name: &str) -> Value {
    json!({ "id": id, "object": "user", "first_name": name, "primary_email_address_id": "idn_1",
        "email_addresses": [{ "id": "idn_1", "email_address": address }] })
}

fn address(number: usize) -> String {
    format!("gone_{number}@example.com")
}

/// All that comes about a user, before the one that says that the user is gone.
fn life(number: usize) -> [Message; EVENTS] {
    let (id, address) = (format!("user_{number}"), address(number));
    let invitation = json!({ "id": format!("inv_{number}"), "email_address": address });
    [
        message(&format!("invited_{number}"), "invitation.created", &invitation),
        message(&format!("created_{number}"), "user.created", &user(&id, &address, "Ada")),
        message(&format!("updated_{number}"), "user.updated", &user(&id, &address, "Grace")),
    ]
}

fn end(number: usize) -> Message {
    let gone = json!({ "id": format!("user_{number}"), "object": "user", "deleted": true });
    message(&format!("deleted_{number}"), "user.deleted", &gone)
}

async fn send_all(serving: &Serving, messages: impl IntoIterator<Item = Message>) {
    let (http, url) = (http_client(), serving.url());
    for message in messages {
        assert_eq!(send(&http, &url, &message).await, Some(200));
    }
}

/// Returns once everybody has had so many events, and perhaps alerts behind them.
async fn settled(directory: &Path, events: usize) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    let has_routed = |one: &Value| one["routed"].as_u64() >= Some(events as u64);
    let is_settled =
        |one: &Value| one["type"] == "database" || has_routed(one) && one["pending"] == 0;
    within(async {
        loop {
            let ran = run(directory, &["--json", "destinations"]).await;
            let destinations: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
            if destinations.iter().all(is_settled) {
                break;
            }
            look.tick().await;
        }
    })
    .await;
    mirror_at(directory, i64::try_from(events).unwrap()).await;
}

/// The addresses of these users that stand in a file of the log.
fn found(directory: &Path) -> Vec<String> {
    let bytes = ["", "-wal", "-shm"].map(|suffix| {
        std::fs::read(directory.join(format!("deskbell.db{suffix}"))).unwrap_or_default()
    });
    let files = bytes.each_ref().map(|bytes| String::from_utf8_lossy(bytes));
    let stands = |address: &String| files.iter().any(|file| file.contains(address));
    (0..USERS).map(address).chain([STAYS.to_owned()]).filter(stands).collect()
}

#[tokio::test]
async fn the_address_of_a_user_who_is_gone_is_in_no_file_of_the_log() {
    // Of one user alone, so that the destination does not count as one that fails.
    let receiver = Receiver::start(|received| {
        let is_refused = received.path == "/refuses" && received.message_id.ends_with("_1");
        Reply::Echo(if is_refused { 400 } else { 200 })
    });
    let receiver = receiver.await.unwrap();
    let directory = directory();
    let path = directory.path();
    config(path, &receiver.url());
    let serving = Serving::start(path).await;
    let stays = message("stays", "user.created", &user("user_stays", STAYS, "Mira"));
    let lives = (0..USERS).flat_map(life).chain([stays]);
    send_all(&serving, lives.chain((0..USERS).map(end))).await;
    settled(path, USERS * (EVENTS + 1) + 1).await;
    let shown = run(path, &["--json", "events", "show", "created_1", "--replies"]).await.stdout;
    assert!(shown.matches(&address(1)).count() >= 2, "both have sent it back: {shown}");
    assert!(shown.contains("dead_lettered"), "{shown}");
    assert_eq!(found(path).len(), USERS + 1);
    assert_eq!(serving.terminate().await.0, 0);
    // It looks for what is to be erased when it starts.
    let serving = Serving::start(path).await;
    let mut look = tokio::time::interval(LOOK_EVERY);
    within(async {
        while found(path) != [STAYS] {
            look.tick().await;
        }
    })
    .await;
    assert_eq!(serving.terminate().await.0, 0);
    assert_eq!(found(path), [STAYS]);
    let shown = run(path, &["events", "show", "created_1"]).await.stdout;
    assert!(shown.contains("erased: the user was deleted"), "{shown}");
    let shown = run(path, &["events", "show", "stays"]).await.stdout;
    assert!(!shown.contains("erased"), "{shown}");
}

//! `deskbell backfill`, and what `serve` fills by itself, from a simulated Clerk.

use std::path::Path;
use std::time::Duration;

use deskbell_sim::INSTANCE_ID;
use deskbell_sim::backend_api::{BackendApi, BackendApiOptions, Fault, SharedDirectory, sample};
use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_sync::inspect::MirrorReader;
use tempfile::TempDir;
use tokio::process::Command;

use super::support::{
    ENDPOINT_SECRET, Ran, Serving, deskbell, finish, mirror_at, now, run, within,
};

const KEY: &str = "sk_test_SimulatedByDeskbell";
pub(super) const OTHER: &str = "ins_2Another0000000000000000000";

/// A simulated instance with so many users, two organizations and nothing else.
pub(super) async fn clerk(users: usize) -> BackendApi {
    let directory = SharedDirectory::default();
    {
        let mut state = directory.lock();
        for (list, count) in [("users", users), ("organizations", 2)] {
            for number in 0..count {
                state.insert(list, &sample(list, number, 1_767_225_600_000 + number as i64));
            }
        }
    }
    let options = BackendApiOptions { requests_max: 10_000, ..BackendApiOptions::default() };
    let plan = |request: &deskbell_sim::backend_api::ApiRequest| match request
        .path
        .starts_with("/billing")
    {
        true => Fault::Status(403),
        false => Fault::None,
    };
    BackendApi::start(options, directory, plan).await.unwrap()
}

pub(super) fn configured(source: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let config = format!("[server]\nlisten = \"127.0.0.1:0\"\n\n[[source]]\n{source}\n");
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    directory
}

pub(super) fn ours() -> TempDir {
    configured(&format!("instance_id = \"{INSTANCE_ID}\""))
}

/// The program with the key of this instance.
pub(super) fn with_key(directory: &Path, api: &BackendApi) -> Command {
    let mut command = deskbell(directory);
    command.env("CLERK_SECRET_KEY", KEY).env("CLERK_API_URL", api.url());
    command
}

async fn backfill(directory: &Path, api: &BackendApi, arguments: &[&str]) -> Ran {
    finish(with_key(directory, api).args(["backfill"]).args(arguments)).await
}

pub(super) fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
}

/// Waits until the mirror has so many users.
pub(super) async fn wait_for_users(directory: &Path, count: usize) {
    let url = format!("sqlite://{}", directory.join("clerk.db").display());
    let reader = MirrorReader::open(&url.parse().unwrap()).await.unwrap();
    let mut look = tokio::time::interval(Duration::from_millis(20));
    within(async {
        while reader.rows("users").await.map_or(0, |rows| rows.len()) != count {
            look.tick().await;
        }
    })
    .await;
}

/// What `--json` says of an entity.
fn entity<'a>(outcome: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    let entities = outcome["entities"].as_array().unwrap();
    entities.iter().find(|entity| entity["entity"] == name).unwrap()
}

#[tokio::test]
async fn a_mirror_is_filled_before_anything_runs() {
    let (directory, api) = (ours(), clerk(1_234).await);
    let counted = backfill(directory.path(), &api, &["--json", "--dry-run", "user"]).await;
    assert_eq!(counted.code, 0, "{counted:?}");
    assert_eq!(json(&counted)["entities"][0]["objects"], 1_234);
    assert_eq!(json(&counted)["requests"], 4);
    assert!(!directory.path().join("clerk.db").exists(), "nothing was written");
    let ran = backfill(directory.path(), &api, &["--json"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let outcome = json(&ran);
    let users = entity(&outcome, "user");
    assert_eq!((&users["status"], &users["read"]), (&"done".into(), &1_234.into()));
    assert_eq!(entity(&outcome, "subscription")["status"], "not_available");
    wait_for_users(directory.path(), 1_234).await;
    let again = backfill(directory.path(), &api, &["user"]).await;
    assert_eq!(again.code, 0);
    let line: Vec<_> = again.stdout.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!((&line[..3], line[4]), (["mirror", "user", "1234"].as_slice(), "done"));
}

#[tokio::test]
async fn what_makes_no_sense_is_said_before_anything_is_read() {
    let (directory, api) = (ours(), clerk(3).await);
    let without_key = finish(deskbell(directory.path()).arg("backfill")).await;
    assert_eq!(without_key.code, 64);
    assert!(without_key.stderr.contains("export CLERK_SECRET_KEY=sk_…"), "{without_key:?}");
    let unknown = backfill(directory.path(), &api, &["usr"]).await;
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("did you mean `user`"), "{unknown:?}");
    assert_eq!(backfill(directory.path(), &api, &["--destination", "x"]).await.code, 2);
    let other = configured(&format!("instance_id = \"{OTHER}\""));
    let ran = backfill(other.path(), &api, &[]).await;
    assert_eq!(ran.code, 64, "{ran:?}");
    for text in [INSTANCE_ID, OTHER] {
        assert!(ran.stderr.contains(text), "{}", ran.stderr);
    }
    let nobody_knows = configured("name = \"clerk\"");
    let ran = backfill(nobody_knows.path(), &api, &[]).await;
    assert_eq!(ran.code, 64, "{ran:?}");
    assert!(ran.stderr.replace('\n', " ").contains("set `instance_id"), "{}", ran.stderr);
    wait_for_users(nobody_knows.path(), 0).await;
}

#[tokio::test]
async fn serve_fills_a_new_mirror_by_itself() {
    let (directory, api) = (ours(), clerk(700).await);
    let serving = Serving::of(with_key(directory.path(), &api)).await;
    wait_for_users(directory.path(), 700).await;
    let ran = backfill(directory.path(), &api, &["--json", "organization"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(entity(&json(&ran), "organization")["read"], 2);
    assert_eq!(serving.terminate().await.0, 0);
    // It is done once.
    let requests = api.requests();
    let serving = Serving::of(with_key(directory.path(), &api)).await;
    let url = serving.url();
    let sent = run(directory.path(), &["trigger", "--sample", "user.created", "--url", &url]).await;
    assert_eq!(sent.code, 0);
    mirror_at(directory.path(), 1).await;
    assert_eq!(api.requests(), requests);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn serve_fills_on_request_alone_where_the_config_says_so() {
    let directory = configured(&format!("instance_id = \"{INSTANCE_ID}\"\nbackfill = \"never\""));
    let api = clerk(20).await;
    let serving = Serving::of(with_key(directory.path(), &api)).await;
    let ran = backfill(directory.path(), &api, &["--json", "user"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    wait_for_users(directory.path(), 20).await;
    // Whose key it is, a count and a page: nothing else was read.
    assert_eq!(api.requests(), 3);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_key_that_serve_cannot_use_is_said_in_its_log_and_stops_nothing() {
    let directory = configured(&format!("instance_id = \"{OTHER}\""));
    let api = clerk(5).await;
    let mut serving = Serving::of(with_key(directory.path(), &api)).await;
    serving.until_said("mirrors are not filled with what existed before").await;
    let url = serving.url();
    let sent = run(directory.path(), &["trigger", "--sample", "user.created", "--url", &url]).await;
    assert_eq!(sent.code, 0);
    mirror_at(directory.path(), 1).await;
    let ran = backfill(directory.path(), &api, &["user"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains(INSTANCE_ID), "{}", ran.stderr);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn events_of_what_existed_go_to_a_chosen_destination_and_nowhere_else() {
    let api = clerk(3).await;
    let [chosen, other] = [
        Receiver::start(|_| Reply::Status(200)).await,
        Receiver::start(|_| Reply::Status(200)).await,
    ];
    let (chosen, other) = (chosen.unwrap(), other.unwrap());
    let hook = |name: &str, receiver: &Receiver| {
        format!(
            "[[destination]]\nname = \"{name}\"\ntype = \"http\"\nurl = \"{}\"\n\
             secret = \"{ENDPOINT_SECRET}\"\nallow_hosts = [\"127.0.0.1\"]\n",
            receiver.url()
        )
    };
    let directory = configured(&format!(
        "instance_id = \"{INSTANCE_ID}\"\nbackfill = \"never\"\n[[destination]]\nname = \"mirror\"\n\
         type = \"database\"\nurl = \"sqlite://clerk.db\"\n{}{}",
        hook("crm", &chosen),
        hook("other", &other),
    ));
    let path = directory.path();
    let serving = Serving::of(with_key(path, &api)).await;
    let emit = ["--emit", "user.created", "--to", "crm"];
    let counted = backfill(path, &api, &[&["--dry-run"], &emit[..]].concat()).await;
    assert!(counted.stdout.contains("nothing was written"), "{counted:?}");
    let ran = backfill(path, &api, &[&["--json"], &emit[..]].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let events = &json(&ran)["events"][0];
    assert_eq!((&events["destination"], &events["deliveries"]), (&"crm".into(), &3.into()));
    within(chosen.wait_for(3)).await;
    let received = &chosen.received()[0];
    let body: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!((&body["type"], &body["origin"]), (&"user.created".into(), &"backfill".into()));
    let verifier =
        clerk_webhooks::Verifier::new(clerk_webhooks::Secret::parse(ENDPOINT_SECRET).unwrap());
    verifier.verify(&received.headers, &received.body, now()).unwrap();
    // An event that everybody gets is behind them: nobody else got those before it.
    let triggered =
        run(path, &["trigger", "--sample", "user.created", "--url", &serving.url()]).await;
    assert_eq!(triggered.code, 0, "{triggered:?}");
    within(other.wait_for(1)).await;
    mirror_at(path, 4).await;
    wait_for_users(path, 0).await;
    let body: serde_json::Value = serde_json::from_slice(&other.received()[0].body).unwrap();
    assert_eq!(body.get("origin"), None);
    let shown = run(path, &["events", "show", &received.message_id]).await;
    for text in [
        "verified by  secret key: it was made from an object of Clerk's API",
        "crm          delivered",
        "other        filtered: it was made for chosen destinations",
        "mirror       not mirrored: it was made for chosen destinations",
    ] {
        assert!(shown.stdout.contains(text), "{text}: {}", shown.stdout);
    }
    assert_eq!(serving.terminate().await.0, 0);
    // Without a running `serve` the events wait for one.
    let later = backfill(path, &api, &["--emit", "user.created", "--to", "other"]).await;
    assert_eq!(later.code, 0, "{later:?}");
    let serving = Serving::of(with_key(path, &api)).await;
    within(other.wait_for(4)).await;
    assert_eq!((chosen.count(), serving.terminate().await.0), (4, 0));
}

#[tokio::test]
async fn events_that_cannot_be_made_are_refused() {
    let (directory, api) = (ours(), clerk(1).await);
    assert_eq!(Serving::start(directory.path()).await.terminate().await.0, 0);
    for (arguments, text) in [
        (&["--emit", "user.creatd", "--to", "crm"][..], "did you mean `user.created`"),
        (&["--emit", "user.deleted", "--to", "crm"], "no event of type `user.deleted`"),
        (&["--emit", "user.created", "--to", "crm"], "destination `crm` not found"),
        (&["--emit", "user.created", "--to", "mirror"], "which has no deliveries"),
        (&["--emit", "user.created"], "--to"),
        (&["--emit", "user.created", "--to", "crm", "user"], "cannot be used with"),
    ] {
        let ran = backfill(directory.path(), &api, arguments).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(text), "{text}: {ran:?}");
    }
}

//! Whoever has just signed up is found before the event has arrived.

use std::path::Path;

use deskbell_sim::INSTANCE_ID;
use deskbell_sim::backend_api::{BackendApi, BackendApiOptions, Fault, SharedDirectory, sample};
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::PostgresDatabase;

use super::backfill::{clerk, with_key};
use super::support::{Serving, deskbell, finish, http_client, run};

const TOKEN: &str = "correct-horse-battery-staple";
const USER: &str = "user_00000000";

/// A mirror that is not filled by itself.
fn configured() -> TempDir {
    configured_with("")
}

fn configured_with(more: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_token = \"{TOKEN}\"\n\n\
         [[source]]\ninstance_id = \"{INSTANCE_ID}\"\nbackfill = \"never\"\n\n{more}"
    );
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    directory
}

async fn get(serving: &Serving, path: &str) -> (StatusCode, Value) {
    let url = format!("http://{}/api/v1/{path}", serving.address);
    let reply = http_client().get(url).bearer_auth(TOKEN).send().await.unwrap();
    let status = reply.status();
    (status, serde_json::from_str(&reply.text().await.unwrap()).unwrap())
}

/// An event of this user arrives.
async fn arrives(directory: &Path, serving: &Serving, id: &str) {
    let (url, id) = (serving.url(), format!("data.id={id}"));
    let instance = format!("instance_id={INSTANCE_ID}");
    let arguments =
        ["trigger", "--sample", "user.created", "--url", &url, "--set", &id, "--set", &instance];
    let ran = run(directory, &arguments).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[tokio::test]
async fn with_a_key_a_user_is_fetched_and_mirrored() {
    let (directory, api) = (configured(), clerk(3).await);
    let serving = Serving::of(with_key(directory.path(), &api)).await;
    let path = format!("users/{USER}?wait=6s");
    let answers = join_all((0..100).map(|_| get(&serving, &path))).await;
    for (status, user) in answers {
        assert_eq!(
            (status, &user["id"], &user["first_name"]),
            (StatusCode::OK, &json!(USER), &json!("Ada"))
        );
    }
    assert_eq!(api.requests(), 2, "whose key it is, and the user");
    let (status, organization) = get(&serving, "organizations/org_00000001").await;
    assert_eq!((status, &organization["name"]), (StatusCode::OK, &json!("Acme")));
    for path in ["users/user_nobody?wait=30s", "users/user_nobody"] {
        let (status, problem) = get(&serving, path).await;
        assert_eq!((status, &problem["error"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    }
    assert_eq!(api.requests(), 4);
    let membership = format!("organization_memberships?user_id={USER}&organization_id=org_1");
    assert_eq!(get(&serving, &membership).await.0, StatusCode::NOT_FOUND);
    for (path, error) in [("users/nobody", "invalid_id"), ("users/user_1?wait=1m", "invalid_wait")]
    {
        let (status, problem) = get(&serving, path).await;
        assert_eq!((status, &problem["error"]), (StatusCode::BAD_REQUEST, &json!(error)));
    }
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn without_a_key_the_event_is_waited_for() {
    let directory = configured();
    let serving = Serving::of(deskbell(directory.path())).await;
    let (status, problem) = get(&serving, "users/user_1").await;
    assert_eq!((status, &problem["error"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    let (answer, ()) = tokio::join!(
        get(&serving, "users/user_1?wait=30s"),
        arrives(directory.path(), &serving, "user_1")
    );
    assert_eq!((answer.0, &answer.1["id"]), (StatusCode::OK, &json!("user_1")));
    assert_eq!(serving.terminate().await.0, 0);
}

/// An instance whose payment attempts are read by one request for each statement.
async fn with_statements(count: usize) -> BackendApi {
    let directory = SharedDirectory::default();
    for number in 0..count {
        directory.lock().insert("statements", &sample("statements", number, 1_767_225_600_000));
    }
    BackendApi::start(BackendApiOptions::default(), directory, |_| Fault::None).await.unwrap()
}

/// A development instance has 100 requests in ten seconds, and half of them are the application's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_fill_and_fetch_keep_to_the_share_together() {
    let database = PostgresDatabase::with_owner().await;
    let url = database.url();
    let directory = configured_with(&format!(
        "[store]\nurl = \"{url}\"\nconnections_max = 6\n\n\
         [[destination]]\nname = \"mirror\"\ntype = \"database\"\nurl = \"{url}\"\n"
    ));
    let api = with_statements(60).await;
    let first = Serving::of(with_key(directory.path(), &api)).await;
    let second = Serving::of(with_key(directory.path(), &api)).await;
    let mut filling = with_key(directory.path(), &api);
    let filling = finish(filling.args(["--json", "backfill", "payment_attempt"]));
    let askers = (0..12).map(|number| {
        let serving = if number % 2 == 0 { &first } else { &second };
        let path = format!("users/user_nobody{number}");
        async move { get(serving, &path).await.0 }
    });
    let (filled, answers) = tokio::join!(filling, join_all(askers));
    assert_eq!(filled.code, 0, "{filled:?}");
    let fetched = answers.iter().filter(|&&status| status == StatusCode::NOT_FOUND).count();
    assert!(fetched >= 8, "each process asked for four at once: {answers:?}");
    assert!(api.requests() > 60, "more than one window: {}", api.requests());
    let busiest = api.in_window_max();
    assert!((41..=50).contains(&busiest), "{busiest} requests in a window");
    for serving in [first, second] {
        assert_eq!(serving.terminate().await.0, 0);
    }
}

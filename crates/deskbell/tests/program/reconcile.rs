//! `deskbell reconcile` against a simulated Clerk.

use std::path::Path;

use deskbell_sim::backend_api::{BackendApi, sample};

use super::backfill::{OTHER, clerk, configured, json, ours, wait_for_users, with_key};
use super::support::{Ran, Serving, finish};

const NEW_AT: i64 = 1_767_225_700_000;

async fn deskbell(directory: &Path, api: &BackendApi, arguments: &[&str]) -> Ran {
    finish(with_key(directory, api).args(arguments)).await
}

/// Clerk goes on: a user more, another name, a user less.
fn go_on(api: &BackendApi) {
    let mut state = api.directory().lock();
    state.insert("users", &sample("users", 50, NEW_AT));
    let mut user = sample("users", 1, 1_767_225_600_001);
    user["first_name"] = "Grace".into();
    user["updated_at"] = NEW_AT.into();
    state.insert("users", &user);
    state.remove("users", "user_00000002");
    // Answers are later than what was filled before.
    state.set_now(NEW_AT + 40_000_000_000);
}

#[tokio::test]
async fn drift_is_told_and_mended_beside_a_running_serve() {
    let (directory, api) = (ours(), clerk(40).await);
    let serving = Serving::of(with_key(directory.path(), &api)).await;
    wait_for_users(directory.path(), 40).await;
    let ran = deskbell(directory.path(), &api, &["backfill"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let nothing = deskbell(directory.path(), &api, &["reconcile"]).await;
    assert_eq!(nothing.code, 0, "{nothing:?}");
    assert!(nothing.stdout.ends_with("no drift\n"), "{nothing:?}");
    go_on(&api);
    let found = deskbell(directory.path(), &api, &["reconcile", "user"]).await;
    assert_eq!(found.code, 1, "{found:?}");
    let lines: Vec<_> = found.stdout.lines().collect();
    assert_eq!(
        lines[1].split_whitespace().collect::<Vec<_>>(),
        ["mirror", "user", "40", "40", "1", "1", "1", "0", "differs"]
    );
    assert_eq!(
        lines[2..],
        [
            "missing user: user_00000050",
            "stale user: user_00000001",
            "surplus user: user_00000002",
            "3 differences; `deskbell reconcile --repair` mends them",
        ]
    );
    let mended = deskbell(directory.path(), &api, &["--json", "reconcile", "--repair"]).await;
    assert_eq!(mended.code, 0, "{mended:?}");
    let mirror = &json(&mended)["mirrors"][0];
    assert_eq!((&mirror["drift"], &mirror["complete"]), (&0.into(), &true.into()));
    let entities = mirror["entities"].as_array().unwrap();
    let user = entities.iter().find(|entity| entity["entity"] == "user").unwrap();
    assert_eq!((&user["repaired"], &user["surplus"]["count"]), (&3.into(), &1.into()));
    let after = deskbell(directory.path(), &api, &["reconcile"]).await;
    assert_eq!(after.code, 0, "{after:?}");
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_key_of_another_instance_compares_nothing() {
    let directory = configured(&format!("instance_id = \"{OTHER}\""));
    let api = clerk(1).await;
    let serving = Serving::of(with_key(directory.path(), &api)).await;
    let ran = deskbell(directory.path(), &api, &["reconcile"]).await;
    assert_eq!(ran.code, 64, "{ran:?}");
    assert!(ran.stderr.contains(OTHER), "{ran:?}");
    let unknown = deskbell(directory.path(), &api, &["reconcile", "session"]).await;
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert_eq!(serving.terminate().await.0, 0);
}

//! `deskbell demo`: the main job, end to end.

use super::support::run;
use testkit::PostgresDatabase;

#[tokio::test]
async fn it_ends_without_drift_and_says_where_the_databases_are() {
    let directory = tempfile::tempdir().unwrap();
    let ran =
        run(directory.path(), &["demo", "--events", "2000", "--seed", "5", "--dir", "d", "--json"])
            .await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let outcome: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(outcome["sent"], 2000);
    assert_eq!(outcome["drift"], 0);
    assert_eq!((&outcome["delivered"], &outcome["undelivered"]), (&2000.into(), &0.into()));
    let attempts = outcome["delivery_attempts"].as_u64().unwrap();
    assert!(attempts > 2000, "the receiver is flaky: {outcome}");
    assert!(outcome["duplicates"].as_u64().unwrap() > 0);
    for figure in ["acked_per_second", "ack_ms_p50", "ack_ms_p99", "delivery_ms_p50"] {
        assert!(outcome[figure].as_f64().unwrap() > 0.0, "{figure}");
    }
    assert!(outcome["rows"]["clerk_users"].as_u64().unwrap() > 0);
    assert!(directory.path().join("d/deskbell.db").exists());
    assert!(directory.path().join("d/clerk.db").exists());
    let again = run(directory.path(), &["demo", "--dir", "d"]).await;
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("contains an earlier run"), "{}", again.stderr);
}

#[tokio::test]
async fn secrets_of_payloads_stay_out_of_the_mirror() {
    let directory = tempfile::tempdir().unwrap();
    let ran = run(directory.path(), &["demo", "--events", "1000", "--dir", "d"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mirror = std::fs::read(directory.path().join("d/clerk.db")).unwrap();
    let log = std::fs::read(directory.path().join("d/deskbell.db")).unwrap();
    for marker in deskbell_sim::SECRET_MARKERS {
        let is_in =
            |bytes: &[u8]| bytes.windows(marker.len()).any(|part| part == marker.as_bytes());
        assert!(is_in(&log), "{marker} was sent");
        assert!(!is_in(&mirror), "{marker} is in the mirror");
    }
}

#[tokio::test]
async fn it_mirrors_into_postgresql_and_never_on_top_of_another_mirror() {
    let database = PostgresDatabase::with_owner().await;
    let directory = tempfile::tempdir().unwrap();
    let url = database.url();
    let arguments = ["demo", "--events", "1000", "--mirror", &url, "--json", "--dir"];
    let ran = run(directory.path(), &[&arguments[..], &["d"]].concat()).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let outcome: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&outcome["drift"], &outcome["undelivered"]), (&0.into(), &0.into()));
    assert!(outcome["rows"]["clerk.users"].as_u64().unwrap() > 0, "{outcome}");
    assert!(!ran.stdout.contains(PostgresDatabase::PASSWORD), "{}", ran.stdout);
    let again = run(directory.path(), &[&arguments[..], &["e"]].concat()).await;
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("DROP SCHEMA clerk CASCADE"), "{}", again.stderr);
    assert!(!again.stderr.contains(PostgresDatabase::PASSWORD), "{}", again.stderr);
}

#[tokio::test]
async fn it_keeps_the_log_in_postgresql_and_never_on_top_of_another_log() {
    let database = PostgresDatabase::with_owner().await;
    let directory = tempfile::tempdir().unwrap();
    let url = database.url();
    let arguments = ["demo", "--events", "1000", "--store", &url, "--json", "--dir"];
    let ran = run(directory.path(), &[&arguments[..], &["d"]].concat()).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let outcome: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&outcome["drift"], &outcome["undelivered"]), (&0.into(), &0.into()));
    assert!(!ran.stdout.contains(PostgresDatabase::PASSWORD), "{}", ran.stdout);
    assert!(!directory.path().join("d/deskbell.db").exists());
    let again = run(directory.path(), &[&arguments[..], &["e"]].concat()).await;
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("DROP SCHEMA deskbell CASCADE"), "{}", again.stderr);
    assert!(!again.stderr.contains(PostgresDatabase::PASSWORD), "{}", again.stderr);
}

#[tokio::test]
async fn it_mirrors_into_another_file() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--events", "300", "--mirror", "sqlite://m.db", "--json", "--dir"];
    let ran = run(directory.path(), &[&arguments[..], &["d"]].concat()).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(directory.path().join("m.db").exists());
    let again = run(directory.path(), &[&arguments[..], &["e"]].concat()).await;
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("rm m.db"), "{}", again.stderr);
}

#[tokio::test]
async fn a_bad_url_is_wrong_usage_and_is_not_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let ran = run(directory.path(), &["demo", "--mirror", "mysql://app:hunter2@db/app"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`mysql:` is not a supported database"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_clerk_that_was_there_before_is_filled_and_what_is_lost_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--with-history", "700", "--events", "900", "--json", "--dir", "d"];
    let ran = run(directory.path(), &arguments).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let outcome: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&outcome["drift"], &outcome["messages_missing"]), (&0.into(), &0.into()));
    assert_eq!(outcome["history"], 700);
    assert!(outcome["backfilled"].as_u64().unwrap() >= 700, "{outcome}");
    assert!(outcome["repaired"].as_u64().unwrap() > 0, "{outcome}");
    assert_eq!(outcome["lost"], 50);
    assert_eq!(outcome["sent"], 850);
}

//! `deskbell rebuild` beside a running engine.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use super::support::{Serving, directory, mirror_at, run};

const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\n\n[[destination]]\nname = \"mirror\"\n\
                      type = \"database\"\nurl = \"sqlite://clerk.db\"\n";

#[tokio::test]
async fn a_damaged_mirror_is_mended_while_the_engine_runs() {
    let directory = directory();
    std::fs::write(directory.path().join("deskbell.toml"), CONFIG).unwrap();
    let nothing = run(directory.path(), &["rebuild", "mirror"]).await;
    assert_eq!(nothing.code, 1);
    assert!(nothing.stderr.contains("no event log found at"), "{}", nothing.stderr);
    let serving = Serving::start(directory.path()).await;
    let url = serving.url();
    let sent = run(directory.path(), &["trigger", "--sample", "user.created", "--url", &url]).await;
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let reader = mirror_at(directory.path(), 1).await;
    let before = reader.whole_rows("users").await.unwrap();
    let file = SqliteConnectOptions::new().filename(directory.path().join("clerk.db"));
    let mut connection = SqliteConnection::connect_with(&file).await.unwrap();
    sqlx::query("DELETE FROM clerk_users").execute(&mut connection).await.unwrap();
    let ran = run(directory.path(), &["--json", "rebuild", "mirror"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let outcome: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(outcome["events"], 1);
    assert_eq!(reader.whole_rows("users").await.unwrap(), before);
    let unknown = run(directory.path(), &["rebuild", "miror"]).await;
    assert_eq!(unknown.code, 2, "{}", unknown.stderr);
    let halves = run(directory.path(), &["rebuild", "mirror", "--into", "then"]).await;
    assert_eq!(halves.code, 2, "{}", halves.stderr);
    assert_eq!(serving.terminate().await.0, 0);
}

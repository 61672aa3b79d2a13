//! A mirror whose database is away, and one whose database refuses a row.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::{Hook, SOON, trigger};
use crate::support::{Serving, directory, run};

const MIRROR: &str =
    "[[destination]]\nname = \"app\"\ntype = \"database\"\nurl = \"sqlite://clerk.db\"";
const TABLE: &str = r#"
[[destination.table]]
entity = "user"
into = "app_users"
key = { clerk_id = "subject" }
columns = { email = "user.primary_email_address" }
"#;

#[tokio::test]
async fn a_database_that_is_away_is_told_once_over_a_restart_and_so_is_its_end() {
    let (hook, directory) = (Hook::start().await, directory());
    let path = directory.path();
    std::fs::write(path.join("clerk.db"), "no database".repeat(1_000)).unwrap();
    hook.configure(path, SOON, MIRROR);
    let serving = Serving::start(path).await;
    trigger(path, &serving).await;
    let away = hook.alerts(1).await.remove(0);
    assert_eq!(serving.terminate().await.0, 0);

    let serving = Serving::start(path).await;
    std::fs::remove_file(path.join("clerk.db")).unwrap();
    let over = hook.alerts(2).await.remove(1);
    assert_eq!(
        (&over["data"]["kind"], &over["data"]["state"]),
        (&"mirror.away".into(), &"resolved".into())
    );
    for same in ["condition", "since", "destination", "source"] {
        assert_eq!(over["data"][same], away["data"][same], "{same}");
    }
    assert_eq!(serving.terminate().await.0, 0);
    assert_eq!(hook.ids().len(), 2, "{:?}", hook.ids());
}

/// Runs SQL as the application would.
async fn sql(directory: &Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(directory.join("clerk.db"));
    let options = options.create_if_missing(true).busy_timeout(Duration::from_secs(30));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_row_that_is_refused_is_told_and_that_none_is_left() {
    let (hook, directory) = (Hook::start().await, directory());
    let path = directory.path();
    let table = |check: &str| {
        format!("CREATE TABLE app_users (clerk_id text PRIMARY KEY, email text {check})")
    };
    sql(path, &table("CHECK (email = 'nobody')")).await;
    hook.configure(path, SOON, &format!("{MIRROR}\n{TABLE}"));
    let serving = Serving::start(path).await;
    trigger(path, &serving).await;
    let told = hook.told(1).await;
    let refused = ("mirror.dead_letters", "firing", "app: 1 row or event was refused");
    assert_eq!((&*told[0].0, &*told[0].1, &*told[0].2), refused);
    sql(path, &format!("DROP TABLE app_users; {}", table(""))).await;
    let retried = run(path, &["dead-letters", "retry", "--all", "--destination", "app"]).await;
    assert_eq!(retried.code, 0, "{}", retried.stderr);
    let told = hook.told(2).await;
    let over = ("mirror.dead_letters", "resolved", "app: no dead letters are left");
    assert_eq!((&*told[1].0, &*told[1].1, &*told[1].2), over);
    assert_eq!(serving.terminate().await.0, 0);
}

//! A mirror whose database is away, and one whose database refuses a row.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::{Hook, SOON, trigger};
use crate::program::support::{SECRET, Serving, directory, run};

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

#[tokio::test]
async fn the_alert_is_the_documented_one_but_for_its_times() {
    let (hook, directory) = (Hook::start().await, directory());
    let mirror = MIRROR.replace("sqlite://clerk.db", "postgres://app@127.0.0.1:1/app");
    hook.configure(directory.path(), SOON, &mirror);
    let serving = Serving::start(directory.path()).await;
    trigger(directory.path(), &serving).await;
    let alert = hook.alerts(1).await.remove(0);
    let page = include_str!("../../../../../docs/alerts.md");
    let (_, block) = page.split_once("```json\n").unwrap();
    let documented: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
    assert_eq!(without_times(&alert), without_times(&documented));
    assert_eq!(serving.terminate().await.0, 0);
}

/// With the same words in place of what depends on the time.
fn without_times(alert: &Value) -> Value {
    let mut alert = alert.clone();
    assert!(alert["timestamp"].is_i64(), "{alert}");
    alert["timestamp"] = 0.into();
    let data = &mut alert["data"];
    let since = data["since"].as_str().unwrap().to_owned();
    assert_eq!(since.len(), "2025-11-29T10:35:00.000Z".len(), "{since}");
    let condition = data["condition"].as_str().unwrap();
    let (about, since_ms) = condition.rsplit_once('/').unwrap();
    assert!(since_ms.parse::<u64>().is_ok(), "{condition}");
    data["condition"] = about.into();
    let subject = data["subject"].as_str().unwrap();
    data["subject"] = subject.rsplit_once(" for ").unwrap().0.into();
    data["text"] = data["text"].as_str().unwrap().replace(&since, "SINCE").into();
    data["since"] = "SINCE".into();
    alert
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
    let summaries = hook.summaries(1).await;
    let refused = ("mirror.dead_letters", "firing", "app: 1 row or event was rejected");
    assert_eq!((&*summaries[0].0, &*summaries[0].1, &*summaries[0].2), refused);
    sql(path, &format!("DROP TABLE app_users; {}", table(""))).await;
    let retried = run(path, &["dead-letters", "retry", "--all", "--destination", "app"]).await;
    assert_eq!(retried.code, 0, "{}", retried.stderr);
    let summaries = hook.summaries(2).await;
    let over = ("mirror.dead_letters", "resolved", "app: no dead letters are left");
    assert_eq!((&*summaries[1].0, &*summaries[1].1, &*summaries[1].2), over);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_row_that_waits_for_long_is_told_and_that_it_waits_no_more() {
    let (hook, directory) = (Hook::start().await, directory());
    let path = directory.path();
    let table = "CREATE TABLE app_users (clerk_id text PRIMARY KEY, email text UNIQUE);
        INSERT INTO app_users VALUES ('ours', 'a@x.dev')";
    sql(path, table).await;
    hook.configure(path, SOON, &format!("{MIRROR}\n{TABLE}"));
    let serving = Serving::start(path).await;
    let email = "data.email_addresses.0.email_address=a@x.dev";
    let url = serving.url();
    let taken =
        run(path, &["trigger", "--sample", "user.created", "--url", &url, "--set", email]).await;
    assert_eq!(taken.code, 0, "{}", taken.stderr);
    let summaries = hook.summaries(1).await;
    let waits = ("mirror.stuck", "firing", "app: 1 row is rejected for now");
    assert_eq!((&*summaries[0].0, &*summaries[0].1, &*summaries[0].2), waits);
    sql(path, "DELETE FROM app_users WHERE clerk_id = 'ours'").await;
    let retried = run(path, &["dead-letters", "retry", "--all", "--destination", "app"]).await;
    assert_eq!(retried.code, 0, "{}", retried.stderr);
    let summaries = hook.summaries(2).await;
    assert_eq!(
        (&*summaries[1].0, &*summaries[1].1, &*summaries[1].2),
        ("mirror.stuck", "resolved", "app: no rows are waiting")
    );
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_source_of_another_instance_is_told() {
    let (hook, directory) = (Hook::start().await, directory());
    let path = directory.path();
    let sources = ["one", "two"].map(|name| {
        format!(
            "[[source]]\nname = \"{name}\"\npath = \"/{name}\"\nsigning_secrets = \"{SECRET}\"\n"
        )
    });
    hook.configure(path, SOON, &format!("{MIRROR}\n{}", sources.concat()));
    let serving = Serving::start(path).await;
    for source in ["one", "two", "one", "two"] {
        let url = format!("http://{}/{source}", serving.address);
        let instance = format!("instance_id=ins_of_{source}");
        let trigger = ["trigger", "--sample", "user.created", "--url", &url, "--set", &instance];
        let ran = run(path, &trigger).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let summaries = hook.summaries(1).await;
    let expected = ("mirror.other_instance", "firing");
    assert_eq!((&*summaries[0].0, &*summaries[0].1), expected);
    assert!(summaries[0].2.contains("the source two belongs to another"), "{summaries:?}");
    assert_eq!(serving.terminate().await.0, 0);
}

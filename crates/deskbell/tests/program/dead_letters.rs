//! `deskbell dead-letters` beside a running `deskbell serve`.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::support::{Serving, directory, mirror_at, run, within};

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"

[[destination]]
name = "mirror"
type = "database"
url = "sqlite://clerk.db"

[[destination.table]]
entity = "user"
into = "app_users"
key = { clerk_id = "subject" }
columns = { email = "user.primary_email_address" }
"#;
const TABLE: &str = "CREATE TABLE app_users (clerk_id text PRIMARY KEY, email text UNIQUE,
    CHECK (clerk_id <> 'user_refused'))";
const TAKEN: &str = "INSERT INTO app_users VALUES ('ours', 'a@x.dev')";
const RELENT: &str = "CREATE TABLE other (clerk_id text PRIMARY KEY, email text UNIQUE);
    DROP TABLE app_users; ALTER TABLE other RENAME TO app_users";

/// Runs SQL as the application would.
async fn sql(directory: &Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(directory.join("clerk.db"));
    let options = options.create_if_missing(true).busy_timeout(Duration::from_secs(30));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Times are those of the run.
fn assert_output(name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let lines = text.lines().map(|line| match line.find("T").zip(line.find("Z")) {
        Some((t, z)) if z == t + 13 && t >= 10 => {
            format!("{}YYYY-MM-DDThh:mm:ss.mmmZ{}", &line[..t - 10], &line[z + 1..])
        }
        _ => line.to_owned(),
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

async fn trigger(directory: &Path, serving: &Serving, message: &str, id: &str, email: &str) {
    let url = serving.url();
    let id = format!("data.id={id}");
    let email = format!("data.email_addresses.0.email_address={email}");
    let arguments = [
        "trigger",
        "--sample",
        "user.created",
        "--url",
        &url,
        "--id",
        message,
        "--set",
        &id,
        "--set",
        &email,
    ];
    let ran = run(directory, &arguments).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[tokio::test]
async fn what_is_refused_is_listed_and_asked_for_beside_the_running_program() {
    let directory = directory();
    let directory = directory.path();
    std::fs::write(directory.join("deskbell.toml"), CONFIG).unwrap();
    let none = run(directory, &["dead-letters", "list"]).await;
    assert_eq!((none.code, &*none.stdout), (0, ""), "{}", none.stderr);
    assert!(none.stderr.contains("no dead letters"), "{}", none.stderr);
    assert!(!directory.join("clerk.db").exists(), "nothing was touched");
    sql(directory, &format!("{TABLE}; {TAKEN}")).await;
    let serving = Serving::start(directory).await;
    trigger(directory, &serving, "msg_1", "user_refused", "b@x.dev").await;
    trigger(directory, &serving, "msg_2", "user_waiting", "a@x.dev").await;
    trigger(directory, &serving, "msg_3", "user_ok", "c@x.dev").await;
    let reader = mirror_at(directory, 3).await;
    for (name, arguments) in [
        ("dead_letters_list", &["list"][..]),
        ("dead_letters_list_json", &["list", "mirror", "--json"]),
        ("dead_letters_show", &["show", "user_refused"]),
    ] {
        let ran = run(directory, &[&["dead-letters"], arguments].concat()).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_output(name, &ran.stdout);
    }
    sql(directory, RELENT).await;
    let ran = run(directory, &["dead-letters", "retry", "user_refused"]).await;
    assert_eq!(ran.stdout, "1 queued for retry by `deskbell serve` within 5 s\n");
    let mut look = tokio::time::interval(Duration::from_millis(50));
    within(async {
        while !reader.rows("_dead_letters").await.unwrap().is_empty() {
            look.tick().await;
        }
    })
    .await;
    let ran = run(directory, &["dead-letters", "list", "--json"]).await;
    assert_eq!(ran.stdout, "[]\n");
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_asked_for() {
    let directory = directory();
    for (arguments, code, wanted) in [
        (&["retry", "user_1"][..], 1, "no dead letter found for user_1"),
        (&["show", "user_1"], 1, "dead-letters list"),
        (&["list", "miror"], 2, "did you mean `mirror`"),
        (&["retry"], 2, "--all"),
        (&["retry", "--all", "user_1"], 2, "--all"),
    ] {
        let ran = run(directory.path(), &[&["dead-letters"], arguments].concat()).await;
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(wanted), "{arguments:?}: {}", ran.stderr);
    }
    let ran = run(directory.path(), &["dead-letters", "retry", "--all", "--json"]).await;
    assert_eq!((ran.code, &*ran.stdout), (0, "{\"asked\":0}\n"), "{}", ran.stderr);
    assert!(!directory.path().join("clerk.db").exists(), "nothing was touched");
}

#[tokio::test]
async fn a_statement_is_shown_by_its_line_and_its_first_words() {
    let directory = directory();
    let directory = directory.path();
    let config = "[server]\nlisten = \"127.0.0.1:0\"\n\n[[destination]]\nname = \"mirror\"\n\
        type = \"database\"\nurl = \"sqlite://clerk.db\"\n\n[[destination.statement]]\n\
        on = [\"user.created\"]\nsql = \"insert into app_users (clerk_id) values (:id)\"\n\
        params = { id = \"subject\" }\n";
    std::fs::write(directory.join("deskbell.toml"), config).unwrap();
    sql(directory, TABLE).await;
    let serving = Serving::start(directory).await;
    trigger(directory, &serving, "msg_1", "user_refused", "b@x.dev").await;
    let reader = mirror_at(directory, 1).await;
    let mut look = tokio::time::interval(Duration::from_millis(50));
    within(async {
        while reader.rows("_dead_letters").await.unwrap().is_empty() {
            look.tick().await;
        }
    })
    .await;
    let title = "[[destination.statement]] in line 9 of the config: insert into app_users (clerk_id) values…";
    let ran = run(directory, &["dead-letters", "list"]).await;
    assert!(ran.stdout.contains(title), "{}", ran.stdout);
    let ran = run(directory, &["dead-letters", "list", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json[0]["title"], title);
    assert!(json[0]["part"].as_str().unwrap().starts_with("statement "), "{json}");
    assert_eq!(serving.terminate().await.0, 0);
}

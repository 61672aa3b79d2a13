//! The mirror that is there without being named, and `[mirror] enabled`.

use std::path::Path;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::support::{Serving, directory, mirror_at, run};

const LISTEN: &str = "[server]\nlisten = \"127.0.0.1:0\"\n";
/// It takes no event that is sent here.
const SLACK: &str = "[[destination]]\nname = \"team\"\ntype = \"slack\"\n\
     webhook_url = \"https://hooks.slack.com/services/T/B/x\"\ntext = \"{{ id }}\"\n\
     events = [\"organization.deleted\"]\n";

fn configure(directory: &Path, sections: &[&str]) {
    let config = [&[LISTEN], sections].concat().join("\n");
    std::fs::write(directory.join("deskbell.toml"), config).unwrap();
}

async fn trigger(directory: &Path, serving: &Serving) {
    let ran =
        run(directory, &["trigger", "--sample", "user.created", "--url", &serving.url()]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

async fn ran(directory: &Path, arguments: &[&str]) -> String {
    let ran = run(directory, arguments).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

async fn destinations(directory: &Path) -> Vec<String> {
    let all: Value =
        serde_json::from_str(&ran(directory, &["destinations", "--json"]).await).unwrap();
    let all = all.as_array().unwrap();
    all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// Starts it and stops it; returns what it said.
async fn greeting(directory: &Path) -> String {
    let mut serving = Serving::start(directory).await;
    serving.until_said("deskbell trigger user.created").await;
    let (code, said) = serving.terminate().await;
    assert_eq!(code, 0);
    said.join("\n")
}

/// A directory in which one event has reached the default mirror.
async fn with_a_mirror() -> tempfile::TempDir {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    trigger(directory.path(), &serving).await;
    mirror_at(directory.path(), 1).await;
    assert_eq!(serving.terminate().await.0, 0);
    directory
}

#[tokio::test]
async fn users_still_arrive_after_a_slack_destination_is_added() {
    let directory = with_a_mirror().await;
    let path = directory.path();
    configure(path, &[SLACK]);
    let serving = Serving::start(path).await;
    trigger(path, &serving).await;
    mirror_at(path, 2).await;
    assert_eq!(destinations(path).await, ["team", "mirror"], "while it runs");
    assert_eq!(serving.terminate().await.0, 0);
    assert_eq!(destinations(path).await, ["team", "mirror"]);
    assert!(!greeting(path).await.contains("no mirror"));
    ran(path, &["config", "check", "--live"]).await;
    ran(path, &["schema", "diff", "mirror"]).await;
    ran(path, &["rebuild", "mirror"]).await;
    let shown = ran(path, &["config", "show"]).await;
    assert!(shown.contains("[mirror]\nenabled = true\n"), "{shown}");
    assert!(shown.contains("url = \"sqlite://clerk.db\""), "{shown}");
}

#[tokio::test]
async fn a_reload_with_a_slack_destination_leaves_the_mirror_as_it_is() {
    let directory = directory();
    let path = directory.path();
    let mut serving = Serving::start(path).await;
    mirror_at(path, 0).await;
    configure(path, &[SLACK]);
    serving.signal("HUP").await;
    serving.until_said("config reloaded").await;
    let line = serving.said.last().unwrap();
    assert!(line.contains("restarted=\"team\""), "{line}");
    trigger(path, &serving).await;
    mirror_at(path, 1).await;
    configure(path, &["[mirror]\nenabled = false\n", SLACK]);
    serving.said.clear();
    serving.signal("HUP").await;
    serving.until_said("config reloaded").await;
    let line = serving.said.last().unwrap();
    assert!(line.contains("restarted=\"mirror\""), "{line}");
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn without_a_mirror_it_says_what_to_add_and_that_adds_one() {
    let directory = directory();
    let path = directory.path();
    configure(path, &[SLACK]);
    let said = greeting(path).await;
    let (_, to_add) = said
        .split_once("  no mirror; add this to deskbell.toml for one in sqlite://clerk.db:\n")
        .unwrap_or_else(|| panic!("{said}"));
    assert!(said.contains("watch the events arrive"), "{said}");
    assert_eq!(destinations(path).await, ["team"]);
    let shown = ran(path, &["config", "show"]).await;
    assert!(shown.contains("[mirror]\nenabled = false\n"), "{shown}");
    assert!(!path.join("clerk.db").exists());

    let to_add: String = to_add.split_inclusive('\n').take(2).collect();
    configure(path, &[SLACK, &to_add]);
    let serving = Serving::start(path).await;
    trigger(path, &serving).await;
    let reader = mirror_at(path, 1).await;
    assert_eq!(reader.rows("clerk_users").await.unwrap().len(), 1);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_mirror_that_is_not_enabled_is_left_as_it_is() {
    let directory = with_a_mirror().await;
    let path = directory.path();
    for sections in [&["[mirror]\nenabled = false\n"][..], &["[mirror]\nenabled = false\n", SLACK]]
    {
        configure(path, sections);
        let mut serving = Serving::start(path).await;
        serving.until_said("deskbell trigger user.created").await;
        trigger(path, &serving).await;
        let (code, said) = serving.terminate().await;
        assert_eq!(code, 0);
        let said = said.join("\n");
        assert!(!said.contains("no mirror") && !said.contains("clerk.db"), "{said}");
    }
    mirror_at(path, 1).await;
    let events = ran(path, &["events", "list", "--json"]).await;
    assert_eq!(events.matches("user.created").count(), 3, "all are stored: {events}");
    let reader = mirror_at(path, 1).await;
    assert_eq!(reader.checkpoint("mirror").await.unwrap().unwrap().seq.get(), 1);
}

#[tokio::test]
async fn a_database_of_that_name_that_is_no_mirror_is_left_alone() {
    let directory = directory();
    let path = directory.path();
    let file = path.join("clerk.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::query("CREATE TABLE notes (id integer)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let before = std::fs::read(&file).unwrap();
    configure(path, &[SLACK]);
    assert!(greeting(path).await.contains("no mirror; add"));
    assert_eq!(destinations(path).await, ["team"]);
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_mirror_that_cannot_be_read_is_kept_with_a_warning() {
    let directory = directory();
    let path = directory.path();
    std::fs::write(path.join("clerk.db"), "no database".repeat(1_000)).unwrap();
    configure(path, &[SLACK]);
    let checked = run(path, &["config", "check"]).await;
    assert_eq!(checked.code, 0);
    let wanted = "warning: sqlite://clerk.db is taken for the mirror, but cannot be read: ";
    assert!(checked.stderr.contains(wanted), "{}", checked.stderr);
    assert!(checked.stderr.contains("file is not a database"), "{}", checked.stderr);
    assert_eq!(destinations(path).await, ["team", "mirror"]);
}

#[tokio::test]
async fn a_database_that_is_named_takes_its_place() {
    let directory = with_a_mirror().await;
    let path = directory.path();
    let database = "[[destination]]\nname = \"app\"\ntype = \"database\"\n\
                    url = \"env:MIRROR_URL\"\n";
    // Left out for want of its variable, it is named all the same.
    configure(path, &[SLACK, database]);
    assert_eq!(destinations(path).await, ["team"]);
    let named = database.replace("env:MIRROR_URL", "sqlite://app.db");
    for mirror in ["", "[mirror]\nenabled = true\n"] {
        configure(path, &[mirror, SLACK, &named]);
        assert_eq!(destinations(path).await, ["team", "app"]);
    }
}

//! Rows that wait for others: woken by what they wait for, and no burden to what goes on.

use deskbell_store::StoredEvent;
use deskbell_sync::{DatabaseConfig, MirrorOptions, OnRowDelete, TableConfig};

use super::application::Application;
use super::backend::VERSIONS;
use super::mapped::{TEAM, USERS, pairs, team, user, users};
use super::support::{deleted, event, membership};

/// Users, and memberships that refer to them.
fn tables() -> [String; 2] {
    let referring =
        TEAM.replace("UNIQUE", "FOREIGN KEY (user_id) REFERENCES app_users (clerk_id), UNIQUE");
    [USERS.to_owned(), referring]
}

fn options() -> MirrorOptions {
    let tables = vec![team(), users(OnRowDelete::Delete)];
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables, ..DatabaseConfig::default() },
    )
}

fn joins(id: &str, user: &str, at: i64) -> StoredEvent {
    let data = membership(id, "org_1", user, at);
    event(&format!("msg_{id}"), "organizationMembership.created", at, &data)
}

fn signs_up(id: &str, at: i64) -> StoredEvent {
    let data = user(id, &format!("{id}@x.dev"), at);
    event(&format!("msg_{id}_{at}"), "user.created", at, &data)
}

#[tokio::test]
async fn a_membership_that_waits_for_its_user_is_woken_by_it() {
    let [one, other] = tables();
    let mut app = Application::new(&[&one, &other], options()).await;
    app.apply(&[joins("orgmem_1", "user_1", 1), joins("orgmem_2", "user_2", 1)]).await;
    assert!(app.rows("SELECT user_id FROM team_members").await.is_empty());
    app.apply(&[signs_up("user_1", 2)]).await;
    app.apply(&[]).await;
    assert_eq!(app.rows("SELECT user_id FROM team_members").await, [["user_1"]]);
    let waiting = format!("SELECT id FROM {VERSIONS} WHERE retry_at IS NOT NULL");
    assert_eq!(app.rows(&waiting).await, [["orgmem_2"]]);
    assert!(app.dead_letters().await.is_empty());
}

#[tokio::test]
async fn a_removal_that_is_refused_is_told_and_done_once_it_can_be() {
    let notes = "CREATE TABLE notes (author text REFERENCES app_users (clerk_id))";
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig {
            mirror: false,
            tables: vec![users(OnRowDelete::Delete)],
            conflict_patience: deskbell_config::Duration::new(std::time::Duration::ZERO),
            ..DatabaseConfig::default()
        },
    );
    let mut app = Application::new(&[USERS, notes], options).await;
    app.apply(&[signs_up("user_1", 1), signs_up("user_2", 1)]).await;
    app.run("INSERT INTO notes VALUES ('user_1')").await;
    app.apply(&[event("msg_9", "user.deleted", 9, &deleted("user", "user_1"))]).await;
    app.apply(&[signs_up("user_3", 1)]).await;
    let ids = "SELECT clerk_id FROM app_users ORDER BY 1";
    assert_eq!(app.rows(ids).await, [["user_1"], ["user_2"], ["user_3"]]);
    assert_eq!(app.dead_letters().await.len(), 1);
    for _ in 0..3 {
        app.make_due().await;
        app.apply(&[]).await;
        assert_eq!(app.dead_letters().await.len(), 1, "it is never given up");
    }
    app.run("DELETE FROM notes").await;
    app.make_due().await;
    app.apply(&[]).await;
    assert_eq!(app.rows(ids).await, [["user_2"], ["user_3"]]);
    assert!(app.dead_letters().await.is_empty());
}

#[tokio::test]
async fn two_destinations_know_nothing_of_each_others_rows() {
    let mut app = Application::new(&[USERS], options_of_one()).await;
    app.apply(&[signs_up("user_1", 1)]).await;
    let copy = format!(
        "SELECT count(*), count(DISTINCT destination) FROM {VERSIONS} WHERE destination = 'mirror'"
    );
    assert_eq!(app.rows(&copy).await, [["1", "1"]]);
    let other = MirrorOptions { destination: "other".to_owned(), ..options_of_one() };
    app.reopen_as(other).await;
    app.apply(&[signs_up("user_1", 1)]).await;
    let all = format!("SELECT destination, id FROM {VERSIONS} ORDER BY 1");
    assert_eq!(app.rows(&all).await, [["mirror", "user_1"], ["other", "user_1"]]);
}

fn options_of_one() -> MirrorOptions {
    let table =
        TableConfig { columns: pairs(&[("name", "user.full_name")]), ..users(OnRowDelete::Delete) };
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    )
}

/// Makes what is known of entities as the version before this one kept it: for all destinations as one.
async fn take_back_the_migration(app: &Application) {
    let local = VERSIONS.trim_start_matches("clerk.");
    let (old, migrations) =
        (VERSIONS.replace("versions", "old"), VERSIONS.replace("versions", "migrations"));
    app.run(&format!(
        "CREATE TABLE {old} AS SELECT mapping, id, _updated_at_ms, _occurred_at_ms, _message_id,
             created_at_ms, parent_1, parent_2, key, columns, ended_at_ms, ended_by, shown, flagged,
             parked_since, given_up, source, event_type, false AS retry, mapping_rev FROM {VERSIONS};
         DROP TABLE {VERSIONS};
         ALTER TABLE {old} RENAME TO {local};
         CREATE INDEX {local}_mapping_key_idx ON {VERSIONS} (mapping, key);
         UPDATE {migrations} SET version = 1"
    ))
    .await;
}

#[tokio::test]
async fn a_mirror_of_the_version_before_migrates_and_goes_on() {
    let mut app = Application::new(&[USERS], options_of_one_with_addresses()).await;
    app.apply(&[signs_up("user_1", 1), signs_up("user_2", 1), signs_up("user_3", 5)]).await;
    app.run("INSERT INTO app_users (clerk_id, email) VALUES ('ours', 'user_4@x.dev')").await;
    app.apply(&[signs_up("user_4", 1)]).await;
    take_back_the_migration(&app).await;
    app.restart().await;
    let all = format!("SELECT destination, id FROM {VERSIONS} ORDER BY id");
    let expected = ["user_1", "user_2", "user_3", "user_4"].map(|id| ["mirror", id]);
    assert_eq!(app.rows(&all).await, expected);
    app.run("DELETE FROM app_users WHERE clerk_id = 'ours'").await;
    // An older version changes nothing, a delete removes, and what waited is tried.
    app.apply(&[
        signs_up("user_3", 2),
        event("msg_9", "user.deleted", 9, &deleted("user", "user_1")),
    ])
    .await;
    let rows = app.rows("SELECT clerk_id FROM app_users ORDER BY 1").await;
    assert_eq!(rows, [["user_2"], ["user_3"], ["user_4"]]);
    assert!(deskbell_sync::migration::missing(&app.options.database).await.unwrap().is_empty());
}

fn options_of_one_with_addresses() -> MirrorOptions {
    let tables = vec![users(OnRowDelete::Delete)];
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables, ..DatabaseConfig::default() },
    )
}

/// Rows that wait: more than a batch takes at a time.
const WAITING: usize = 450;
const BATCH: usize = 100;

#[tokio::test]
async fn rows_that_wait_hold_up_no_others_and_come_once_they_can() {
    let mut app = Application::new(&[USERS], options_of_one_with_addresses()).await;
    let taken = (0..WAITING).map(|n| format!("('ours_{n}', 'waits_{n}@x.dev')"));
    let taken = taken.collect::<Vec<_>>().join(", ");
    app.run(&format!("INSERT INTO app_users (clerk_id, email) VALUES {taken}")).await;
    let waiting: Vec<_> = (0..WAITING).map(|n| signs_up(&format!("waits_{n}"), 1)).collect();
    app.apply(&waiting).await;
    let count = |like: &str| format!("SELECT count(*) FROM app_users WHERE clerk_id LIKE '{like}'");
    for batch in 0..3 {
        app.make_due().await;
        let users = (0..BATCH).map(|n| signs_up(&format!("user_{batch}_{n}"), 1));
        app.apply(&users.collect::<Vec<_>>()).await;
    }
    assert_eq!(app.rows(&count("user%")).await, [[(3 * BATCH).to_string()]]);
    assert_eq!(app.rows(&count("waits%")).await, [["0"]]);
    assert!(app.dead_letters().await.is_empty(), "they wait");
    app.run("DELETE FROM app_users WHERE clerk_id LIKE 'ours%'").await;
    app.make_due().await;
    for _ in 0..WAITING.div_ceil(BATCH) {
        app.apply(&[]).await;
    }
    assert_eq!(app.rows(&count("waits%")).await, [[WAITING.to_string()]]);
}

//! Rows that wait for others: woken by what they wait for, and no burden to what goes on.

use deskbell_store::StoredEvent;
use deskbell_sync::{MappedDelete, MirrorOptions, TableMapping};

use crate::application::Application;
use crate::backend::VERSIONS;
use crate::mapped::{TEAM, USERS, pairs, team, user, users};
use crate::support::{deleted, event, membership};

/// Users, and memberships that refer to them.
fn tables() -> [String; 2] {
    let referring = TEAM.replace("UNIQUE", "FOREIGN KEY (user_id) REFERENCES app_users (clerk_id), UNIQUE");
    [USERS.to_owned(), referring]
}

fn options() -> MirrorOptions {
    let tables = vec![team(), users(MappedDelete::Delete)];
    MirrorOptions { mirror: false, tables, ..MirrorOptions::default() }
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
    let options = MirrorOptions {
        mirror: false,
        tables: vec![users(MappedDelete::Delete)],
        conflict_patience: std::time::Duration::ZERO,
        ..MirrorOptions::default()
    };
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
    let table = TableMapping { columns: pairs(&[("name", "user.full_name")]), ..users(MappedDelete::Delete) };
    MirrorOptions { mirror: false, tables: vec![table], ..MirrorOptions::default() }
}

//! What only PostgreSQL can refuse: codes of a trigger's own, policies, rights, locks.

use std::time::Duration;

use deskbell_sync::TargetError;
use deskbell_sync::dead_letters::State;
use serde_json::json;

use super::backend::DUE;
use super::consumer::World;
use super::never_stops::{drain, letters};
use super::support::{deleted, user};

/// A trigger on users that raises this where a user is called "at 7".
fn raising(raise: &str) -> String {
    format!(
        "CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF NEW.first_name = 'at 7' THEN {raise}; END IF; RETURN NEW; END $$;
         CREATE TRIGGER judges BEFORE INSERT OR UPDATE ON clerk.users
         FOR EACH ROW EXECUTE FUNCTION judge()"
    )
}

async fn append_nine(world: &World) {
    for number in 1..=9 {
        let data = user(&format!("user_{number}"), number);
        world.append(&format!("msg_{number}"), "user.created", &data).await;
    }
    world
        .append("msg_org", "organization.created", &json!({ "id": "org_1", "updated_at": 1 }))
        .await;
}

#[tokio::test]
async fn a_code_of_a_triggers_own_refuses_one_row() {
    for (code, state) in [
        ("PT402", State::Failed),
        ("42501", State::Failed),
        ("42P01", State::Failed),
        ("21000", State::Failed),
        ("22P02", State::Failed),
        ("23505", State::Waiting),
        ("57014", State::Waiting),
        ("40001", State::Waiting),
    ] {
        let world = World::new().await;
        let mut consumer = world.consumer().await;
        let raise = format!("RAISE EXCEPTION 'payment needed' USING ERRCODE = '{code}'");
        world.place.run(&raising(&raise)).await;
        append_nine(&world).await;
        drain(&mut consumer).await;
        assert_eq!(world.users().await, 8, "{code}");
        let kept = letters(&world).await;
        assert_eq!((kept.len(), kept[0].state), (1, state), "{code}");
        assert_eq!((&*kept[0].id, kept[0].cause.as_deref()), ("user_7", Some(code)));
        assert_eq!(kept[0].reason.as_deref(), Some("payment needed"));
        assert_eq!(world.reader().await.rows("organizations").await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_trigger_that_writes_to_a_table_that_is_gone_refuses_its_rows() {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    world.place.run(&raising("INSERT INTO dropped VALUES (1)")).await;
    append_nine(&world).await;
    drain(&mut consumer).await;
    assert_eq!(world.users().await, 8);
    assert_eq!(letters(&world).await.len(), 1);
}

/// A role of its own that owns the mirror, without a superuser's privileges.
pub(crate) async fn with_a_role(world: &mut World) -> String {
    let role = format!("{}_role", world.place.name());
    world.place.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'p'")).await;
    world.place.run(&format!("GRANT CREATE ON DATABASE {} TO {role}", world.place.name())).await;
    world.options.database.url = world.place.url_of(&role, "p").parse().unwrap();
    role
}

pub(crate) async fn drop_role(world: World, role: &str) {
    world.place.run(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_policy_of_row_level_security_refuses_one_row() {
    let mut world = World::new().await;
    let role = with_a_role(&mut world).await;
    let mut consumer = world.consumer().await;
    world
        .place
        .run(
            "ALTER TABLE clerk.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
             CREATE POLICY but_seven ON clerk.users USING (true)
                 WITH CHECK (first_name <> 'at 7')",
        )
        .await;
    append_nine(&world).await;
    drain(&mut consumer).await;
    assert_eq!(world.users().await, 8);
    let kept = letters(&world).await;
    assert_eq!((kept.len(), kept[0].cause.as_deref()), (1, Some("42501")));
    drop(consumer);
    drop_role(world, &role).await;
}

#[tokio::test]
async fn a_right_that_is_taken_and_given_back_costs_no_dead_letter() {
    let mut world = World::new().await;
    let role = with_a_role(&mut world).await;
    let mut consumer = world.consumer().await;
    world.append("msg_0", "user.created", &user("user_0", 1)).await;
    drain(&mut consumer).await;
    world.place.run(&format!("REVOKE INSERT, UPDATE, DELETE ON clerk.users FROM {role}")).await;
    append_nine(&world).await;
    world.append("msg_gone", "user.deleted", &deleted("user", "user_0")).await;
    drain(&mut consumer).await;
    assert_eq!(world.users().await, 1);
    assert_eq!(world.reader().await.rows("organizations").await.unwrap().len(), 1);
    let blocked = world.place.rows("SELECT part, cause FROM clerk._blocked").await;
    assert_eq!(blocked, [["users", "42501"]]);
    // Still refused, when it is tried again.
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert!(letters(&world).await.is_empty());
    world.place.run(&format!("GRANT INSERT, UPDATE, DELETE ON clerk.users TO {role}")).await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert_eq!(world.users().await, 9);
    assert!(letters(&world).await.is_empty());
    assert!(world.place.rows("SELECT part FROM clerk._blocked").await.is_empty());
    drop(consumer);
    drop_role(world, &role).await;
}

#[tokio::test]
async fn a_hundred_refusals_of_one_kind_in_a_row_block_the_table() {
    let mut world = World::new().await;
    world.options.batch.events_max = 500;
    let mut consumer = world.consumer().await;
    world
        .place
        .run(
            &raising("NULL")
                .replace("NEW.first_name = 'at 7'", "true")
                .replace("NULL;", "RAISE EXCEPTION 'closed' USING ERRCODE = 'PT503';"),
        )
        .await;
    world.append_users(0, 130).await;
    world
        .append("msg_org", "organization.created", &json!({ "id": "org_1", "updated_at": 1 }))
        .await;
    drain(&mut consumer).await;
    assert!(letters(&world).await.is_empty(), "{}", letters(&world).await.len());
    let blocked = world.place.rows("SELECT part, cause, reason FROM clerk._blocked").await;
    assert_eq!(blocked, [["users", "PT503", "closed (PT503)"]]);
    assert_eq!(world.reader().await.rows("organizations").await.unwrap().len(), 1);
    world.place.run("DROP TRIGGER judges ON clerk.users").await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert_eq!(world.users().await, 130);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn a_lock_on_one_row_holds_up_that_row_alone() {
    let mut world = World::new().await;
    world.options.answer_within = Duration::from_secs(1);
    let mut consumer = world.consumer().await;
    append_nine(&world).await;
    drain(&mut consumer).await;
    let mut theirs = world.place.connection().await;
    let lock = "BEGIN; SELECT 1 FROM clerk.users WHERE id = 'user_7' FOR UPDATE";
    sqlx::raw_sql(lock).execute(&mut theirs).await.unwrap();
    for number in 1..=12 {
        let data = user(&format!("user_{number}"), 100);
        world.append(&format!("msg_later_{number}"), "user.updated", &data).await;
    }
    drain(&mut consumer).await;
    let updated = "SELECT count(*), NULL::bigint FROM clerk.users WHERE first_name = 'at 100'";
    assert_eq!(world.place.pair(updated).await.0, 11);
    let waiting = letters(&world).await;
    assert_eq!((&*waiting[0].id, waiting[0].state, waiting.len()), ("user_7", State::Waiting, 1));
    assert_eq!(waiting[0].cause.as_deref(), Some("55P03"));
    sqlx::raw_sql("ROLLBACK").execute(&mut theirs).await.unwrap();
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert_eq!(world.place.pair(updated).await.0, 12);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn what_the_server_says_is_told_without_its_source_line() {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    world.place.run(&raising("RAISE EXCEPTION 'payment needed'")).await;
    append_nine(&world).await;
    let error = loop {
        if let Err(error) = consumer.run_once().await {
            break error;
        }
    };
    let deskbell_sync::SyncError::Target(TargetError::Refused(refused)) = error else {
        panic!("{error:?}");
    };
    assert_eq!(refused.to_string(), "payment needed (P0001)");
}

//! What became of an event in a mirror.

use std::collections::BTreeMap;

use deskbell_store::{OutcomeKind, StoredEvent};
use deskbell_sync::outcome::{MirrorOutcome, OutcomeReader};
use deskbell_sync::{
    DatabaseConfig, MirrorConsumer, MirrorOptions, OnRowDelete, SourceRule, connect,
};
use serde_json::{Value, json};

use super::backend::{BLOCK_ORGANIZATIONS, DEFERRED_REFERENCE, REFUSE_DELETES, REFUSE_THE_SEVENTH};
use super::consumer::{World, drain};
use super::mapped::{TEAM, USERS, user as app_user, users};
use super::statements::joining;
use super::support::{deleted, membership, user};

async fn event(world: &World, message_id: &str) -> StoredEvent {
    world.store.find("clerk", message_id).await.unwrap().unwrap()
}

/// What became of it, with everything before it in the log for what is known.
async fn outcome(world: &World, message_id: &str) -> MirrorOutcome {
    let event = event(world, message_id).await;
    let mut earlier =
        world.store.read(deskbell_store::Seq::ZERO, world.options.batch).await.unwrap();
    earlier.retain(|one| one.seq < event.seq);
    let mut reader = OutcomeReader::open(&world.options, world.store.log_id()).await.unwrap();
    reader.outcome(&event, &earlier).await
}

/// In short: what became of it, and why.
async fn said(world: &World, message_id: &str) -> (OutcomeKind, String) {
    let outcome = outcome(world, message_id).await.outcome;
    (outcome.kind, outcome.reason.unwrap_or_default())
}

async fn parts(world: &World, message_id: &str) -> Vec<(String, OutcomeKind, String)> {
    let parts = outcome(world, message_id).await.parts.into_iter();
    parts
        .map(|part| (part.part, part.outcome.kind, part.outcome.reason.unwrap_or_default()))
        .collect()
}

/// Runs until nothing is left, whatever the database refuses on the way.
async fn drain_refused(consumer: &mut MirrorConsumer) {
    loop {
        if let Ok(progress) = consumer.run_once().await
            && !progress.more
        {
            return;
        }
    }
}

#[tokio::test]
async fn versions_and_tombstones_tell() {
    let mut world = World::new().await;
    world.options.batch.events_max = 100;
    world.append_at("msg_new", "user.updated", 2, &user("user_1", 9)).await;
    world.append_at("msg_old", "user.created", 1, &user("user_1", 1)).await;
    world.append("msg_gone", "user.deleted", &deleted("user", "user_2")).await;
    world.append("msg_late", "user.created", &user("user_2", 5)).await;
    world.append_at("msg_again", "user.deleted", 7, &deleted("user", "user_2")).await;
    let member = membership("orgmem_1", "org_1", "user_2", 1);
    world.append("msg_member", "organizationMembership.created", &member).await;
    world.append("msg_session", "session.created", &json!({ "id": "sess_1" })).await;
    world.append("msg_odd", "user.exploded", &json!({ "id": "user_1" })).await;
    world.append("msg_bad", "user.created", &json!([])).await;
    assert_eq!(
        said(&world, "msg_new").await,
        (OutcomeKind::Pending, "the mirror has not started to read the log".to_owned())
    );
    drain(&mut world.consumer().await).await;
    world.append("msg_next", "user.created", &user("user_3", 1)).await;
    for (message, kind, reason) in [
        ("msg_new", OutcomeKind::Applied, ""),
        (
            "msg_old",
            OutcomeKind::Superseded,
            "the row has the version of message msg_new, which is later",
        ),
        ("msg_gone", OutcomeKind::Applied, ""),
        ("msg_late", OutcomeKind::Tombstoned, "user user_2 was deleted by message msg_gone"),
        ("msg_again", OutcomeKind::Superseded, "message msg_gone had already deleted it"),
        ("msg_member", OutcomeKind::Tombstoned, "its organization or user was deleted"),
        ("msg_session", OutcomeKind::NotMirrored, "`entities` does not include session"),
        ("msg_odd", OutcomeKind::NotMirrored, "nothing is mirrored from user.exploded"),
        ("msg_bad", OutcomeKind::DeadLettered, "`data` is not an object"),
        ("msg_next", OutcomeKind::Pending, "the mirror is at event 9 of the log"),
    ] {
        assert_eq!(said(&world, message).await, (kind, reason.to_owned()), "{message}");
    }
    let late = outcome(&world, "msg_late").await;
    assert_eq!(late.outcome.at_ms, Some(1), "when it was deleted");
    assert!(outcome(&world, "msg_bad").await.outcome.at_ms.is_some());
}

#[tokio::test]
async fn a_row_that_the_database_refuses_is_a_dead_letter() {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    world.place.run(REFUSE_THE_SEVENTH).await;
    world.append("msg_7", "user.created", &user("user_7", 7)).await;
    world.append("msg_8", "user.created", &user("user_8", 8)).await;
    drain_refused(&mut consumer).await;
    assert_eq!(said(&world, "msg_8").await.0, OutcomeKind::Applied);
    let (kind, reason) = said(&world, "msg_7").await;
    // It is tried a few times before it is given up.
    assert!(matches!(kind, OutcomeKind::DeadLettered | OutcomeKind::Waiting), "{kind}");
    assert!(reason.contains("no_sevens"), "{reason}");
}

#[tokio::test]
async fn other_instances_and_sources_are_told_apart() {
    let mut world = World::new().await;
    let rule = SourceRule { instance_id: Some("ins_ours".to_owned()) };
    world.options.sources = BTreeMap::from([("clerk".to_owned(), rule)]);
    for (source, message_id, instance_id) in
        [("clerk", "msg_theirs", "ins_theirs"), ("other", "msg_other", "ins_ours")]
    {
        let event = testkit::event(message_id, "user.created").source(source).instance(instance_id);
        let event = event.at(1).data(&user("user_1", 1)).new_event();
        world.store.append(&[event]).await.unwrap();
    }
    drain(&mut world.consumer().await).await;
    let (kind, reason) = said(&world, "msg_theirs").await;
    let wanted =
        "it belongs to instance ins_theirs; the mirror takes instance ins_ours from source clerk";
    assert_eq!((kind, &*reason), (OutcomeKind::OtherInstance, wanted));
    let event = world.store.find("other", "msg_other").await.unwrap().unwrap();
    let mut reader = OutcomeReader::open(&world.options, world.store.log_id()).await.unwrap();
    let outcome = reader.outcome(&event, &[]).await.outcome;
    assert_eq!(outcome.kind, OutcomeKind::Filtered);
    assert_eq!(outcome.reason.unwrap(), "the destination takes no events of source other");
}

#[tokio::test]
async fn while_the_database_is_away_what_depends_on_it_is_pending() {
    let mut world = World::new().await;
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    world.append("msg_2", "session.created", &json!({ "id": "sess_1" })).await;
    drain(&mut world.consumer().await).await;
    world.options.database.url = "postgres://nobody@127.0.0.1:1/nowhere".parse().unwrap();
    let (kind, reason) = said(&world, "msg_1").await;
    assert_eq!(kind, OutcomeKind::Pending);
    assert!(reason.starts_with("the database is unavailable: "), "{reason}");
    assert_eq!(said(&world, "msg_2").await.0, OutcomeKind::NotMirrored);
}

#[tokio::test]
async fn tables_and_statements_of_the_application_are_parts() {
    let mut world = World::new().await;
    world.place.make().await;
    for table in [USERS, TEAM] {
        world.place.run(table).await;
    }
    let on = vec!["organizationMembership.*".to_owned()];
    let mut statement = joining();
    statement.name = Some("join".to_owned());
    statement.on = on;
    statement.when = Some("data.role != 'org:0'".to_owned());
    world.options = MirrorOptions {
        database: DatabaseConfig {
            mirror: false,
            tables: vec![users(OnRowDelete::Delete)],
            statements: vec![statement],
            ..world.options.database
        },
        ..world.options
    };
    world.options.batch.events_max = 100;
    let member = |updated_at| membership("orgmem_1", "org_1", "user_1", updated_at);
    let gone = deleted("organization_membership", "orgmem_1");
    world.append_at("msg_new", "user.updated", 2, &app_user("user_1", "a@x.dev", 9)).await;
    world.append_at("msg_old", "user.created", 1, &app_user("user_1", "b@x.dev", 1)).await;
    world.append("msg_org", "organization.created", &json!({ "id": "org_1" })).await;
    world.append_at("msg_join", "organizationMembership.created", 5, &member(5)).await;
    world.append_at("msg_stale", "organizationMembership.updated", 3, &member(3)).await;
    world.append_at("msg_none", "organizationMembership.updated", 6, &member(0)).await;
    world.append_at("msg_left", "organizationMembership.deleted", 7, &gone).await;
    world.append_at("msg_late", "organizationMembership.updated", 8, &member(8)).await;
    let target = connect(&world.options).await.unwrap();
    let store = world.store.clone();
    drain_refused(&mut MirrorConsumer::new(store, target, world.options.clone())).await;
    let part = |part: &str, kind, reason: &str| vec![(part.to_owned(), kind, reason.to_owned())];
    let table = "app_users from user";
    for (message, wanted) in [
        ("msg_new", part(table, OutcomeKind::Applied, "")),
        (
            "msg_old",
            part(
                table,
                OutcomeKind::Superseded,
                "the row has the version of message msg_new, which is later",
            ),
        ),
        ("msg_join", part("join", OutcomeKind::Applied, "")),
        (
            "msg_stale",
            part(
                "join",
                OutcomeKind::Superseded,
                "it had already run for message msg_join, which is later",
            ),
        ),
        ("msg_none", part("join", OutcomeKind::Filtered, "its `when` is false")),
        (
            "msg_late",
            part("join", OutcomeKind::Tombstoned, "message msg_left had already deleted it"),
        ),
    ] {
        assert_eq!(parts(&world, message).await, wanted, "{message}");
    }
    let why = "`mirror` is false, and no table or statement takes organization";
    assert_eq!(said(&world, "msg_org").await, (OutcomeKind::NotMirrored, why.to_owned()));
}

#[tokio::test]
async fn a_payload_that_was_pruned_is_known_by_its_message() {
    let world = World::new().await;
    let subject = |message_id: &str, data: &Value| {
        let event = testkit::event(message_id, "user.updated").subject("user_1");
        event.at(1).data(data).new_event()
    };
    let events = [subject("msg_1", &user("user_1", 1)), subject("msg_2", &user("user_1", 2))];
    world.store.append(&events).await.unwrap();
    drain(&mut world.consumer().await).await;
    for seq in [1, 2] {
        world.empty_the_payload(seq).await;
    }
    assert_eq!(said(&world, "msg_2").await.0, OutcomeKind::Applied);
    assert_eq!(said(&world, "msg_1").await.0, OutcomeKind::Superseded);
}

#[tokio::test]
async fn what_is_stuck_waits_or_is_blocked_says_so() {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    world.append("msg_1", "user.created", &user("user_3", 1)).await;
    drain(&mut consumer).await;
    world.place.run(REFUSE_DELETES).await;
    world.place.run(BLOCK_ORGANIZATIONS).await;
    world.place.run(DEFERRED_REFERENCE).await;
    world.append("msg_2", "user.deleted", &deleted("user", "user_3")).await;
    world.append("msg_3", "organization.created", &json!({ "id": "org_1", "updated_at": 1 })).await;
    let joined = "organizationMembership.created";
    world.append("msg_4", joined, &membership("orgmem_1", "org_9", "user_9", 1)).await;
    drain_refused(&mut consumer).await;
    for (message_id, why) in [("msg_2", "kept for the books"), ("msg_3", "nowhere"), ("msg_4", "")]
    {
        let (kind, reason) = said(&world, message_id).await;
        assert_eq!(kind, OutcomeKind::Waiting, "{message_id}: {reason}");
        assert!(reason.contains(why), "{message_id}: {reason}");
    }
}

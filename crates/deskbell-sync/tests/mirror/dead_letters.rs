//! A dead letter that names its entity is resolved by a later version of it.

use deskbell_sync::{Batch, DeadLetter, Rank, Version, dead_letters};
use serde_json::Value;

use super::support::{Mirror, deleted, event, membership, user};

/// A version of an entity that the database is taken to have refused.
fn refused(entity: &'static str, id: &str, updated_at_ms: i64) -> Batch {
    let message_id = format!("msg_refused_{updated_at_ms}");
    let letter = DeadLetter {
        source: "clerk".to_owned(),
        event_type: format!("{entity}.updated"),
        part: String::new(),
        entity,
        id: Some(id.to_owned()),
        version: Version {
            updated_at_ms,
            occurred_at_ms: 1,
            rank: Rank::Changed,
            message_id: message_id.clone(),
        },
        message_id,
        reason: "refused by the database".to_owned(),
    };
    vec![letter].into()
}

async fn letters(mirror: &Mirror) -> Vec<Value> {
    let rows = mirror.rows("_dead_letters").await;
    rows.into_iter().map(|mut row| row.remove("message_id").unwrap()).collect()
}

#[tokio::test]
async fn a_later_version_resolves_it_and_an_earlier_one_does_not() {
    let mut mirror = Mirror::new().await;
    mirror.apply_batch(&refused("user", "user_1", 5)).await;
    mirror.apply(&[event("msg_1", "user.updated", 1, &user("user_1", 4_000_000_000_000))]).await;
    assert_eq!(letters(&mirror).await, Vec::<Value>::new());
    mirror.apply_batch(&refused("user", "user_2", 4_000_000_000_000)).await;
    mirror.apply(&[event("msg_2", "user.updated", 1, &user("user_2", 5))]).await;
    assert_eq!(letters(&mirror).await, ["msg_refused_4000000000000"]);
}

#[tokio::test]
async fn it_is_not_kept_where_a_later_version_was_there_before() {
    let mut mirror = Mirror::new().await;
    mirror.apply(&[event("msg_1", "user.updated", 1, &user("user_1", 4_000_000_000_000))]).await;
    mirror.apply_batch(&refused("user", "user_1", 5)).await;
    assert_eq!(letters(&mirror).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_delete_resolves_it_whichever_comes_first() {
    let gone = event("msg_1", "user.deleted", 1, &deleted("user", "user_1"));
    let mut before = Mirror::new().await;
    before.apply(std::slice::from_ref(&gone)).await;
    before.apply_batch(&refused("user", "user_1", 5)).await;
    let mut after = Mirror::new().await;
    after.apply_batch(&refused("user", "user_1", 5)).await;
    after.apply(&[gone]).await;
    assert_eq!(letters(&before).await, Vec::<Value>::new());
    assert_eq!(letters(&after).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_later_version_counts_also_where_its_parent_is_gone() {
    let mut mirror = Mirror::new().await;
    mirror.apply_batch(&refused("organization_membership", "orgmem_1", 5)).await;
    let data = membership("orgmem_1", "org_1", "user_1", 4_000_000_000_000);
    mirror
        .apply(&[
            event("msg_1", "user.deleted", 1, &deleted("user", "user_1")),
            event("msg_2", "organizationMembership.updated", 1, &data),
        ])
        .await;
    assert!(mirror.ids("organization_memberships").await.is_empty());
    assert_eq!(letters(&mirror).await, Vec::<Value>::new());
}

#[tokio::test]
async fn those_of_a_source_are_erased_and_no_others() {
    let mut mirror = Mirror::new().await;
    mirror.apply_batch(&refused("user", "user_1", 5)).await;
    let erase = |source: &'static str, id: &str| {
        let (options, ids) = (mirror.options.clone(), [id.to_owned()]);
        async move { dead_letters::erase(&options, source, &ids).await.unwrap() }
    };
    assert_eq!(erase("other", "msg_refused_5").await, 0, "a message of another source");
    assert_eq!(erase("clerk", "msg_refused_6").await, 0);
    assert_eq!(letters(&mirror).await, ["msg_refused_5"]);
    assert_eq!(erase("clerk", "msg_refused_5").await, 1);
    assert_eq!(letters(&mirror).await, Vec::<Value>::new());
}

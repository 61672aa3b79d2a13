//! What PostgreSQL will not hold is a dead letter, and what is around it arrives.

use serde_json::json;

use super::consumer::World;
use super::support::{Mirror, deleted, event, user};

/// Three users, of whom the one in the middle has these members too; why that one was given up.
async fn given_up(members: &str) -> Option<String> {
    let world = World::new().await;
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    world.append_text("msg_2", "user.created", 1, &format!(r#"{{"id":"user_2",{members}}}"#)).await;
    world.append("msg_3", "user.created", &user("user_3", 1)).await;
    let mut consumer = world.consumer().await;
    for _ in 0..4 {
        if consumer.run_once().await.is_ok() {
            break;
        }
    }
    assert_eq!(world.checkpoint().await, Some(3));
    let reader = world.reader().await;
    let letters = reader.rows("_dead_letters").await.unwrap();
    assert_eq!(reader.rows("users").await.unwrap().len() + letters.len(), 3);
    letters.first().map(|letter| letter["reason"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn json_that_is_nested_too_deep_gives_nothing_up() {
    for depth in [500, 20_000, 200_000] {
        let deep = format!(r#""public_metadata":{}{}"#, "[".repeat(depth), "]".repeat(depth));
        assert_eq!(given_up(&deep).await, None, "{depth}");
    }
}

#[tokio::test]
async fn a_number_that_is_too_large_gives_nothing_up() {
    assert_eq!(given_up(r#""public_metadata":{"n":1e400000}"#).await, None);
    assert_eq!(given_up(r#""public_metadata":{"n":1e400}"#).await, None);
    assert_eq!(given_up(r#""create_organizations_limit":1e400"#).await, None);
    assert_eq!(given_up(r#""updated_at":1e400,"created_at":-9223372036854775808"#).await, None);
}

#[tokio::test]
async fn texts_are_long_and_hold_anything() {
    let long = "é".repeat(3_000_000);
    assert_eq!(given_up(&format!(r#""first_name":"{long}""#)).await, None);
    assert_eq!(
        given_up(r#""first_name":"a\u0000b","public_metadata":{"\u0000":"\ud800"}"#).await,
        None
    );
}

/// An index has no room for it; such a text is none of Clerk's.
#[tokio::test]
async fn a_text_that_its_index_has_no_room_for_is_given_up() {
    let noise: String =
        (0..20_000_u32).map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761))).collect();
    let reason = given_up(&format!(r#""external_id":"{noise}""#)).await.unwrap();
    assert!(reason.contains("index"), "{reason}");
}

/// The database's own order is that of words: `a` before `B`.
#[tokio::test]
async fn ids_are_compared_as_bytes() {
    let mut mirror = Mirror::new().await;
    let named =
        |message_id: &str| json!({ "id": "user_1", "updated_at": 1, "first_name": message_id });
    for message_id in ["msg_B", "msg_a", "msg_é", "msg_Z", "msg__"] {
        mirror.apply(&[event(message_id, "user.updated", 1, &named(message_id))]).await;
    }
    assert_eq!(mirror.rows("users").await[0]["first_name"], "msg_é");
    for id in ["user_b", "user_A", "user_-", "user_é", "user_'\"\\", "user_\u{1F600}", "user_ "] {
        mirror.apply(&[event("msg_1", "user.created", 1, &user(id, 1))]).await;
    }
    let ids = mirror.ids("users").await;
    assert!(ids.is_sorted(), "{ids:?}");
    assert_eq!(ids.len(), 8);
    for message_id in ["msg_a", "msg_B", "msg_é"] {
        mirror.apply(&[event(message_id, "user.deleted", 1, &deleted("user", "user_b"))]).await;
    }
    assert_eq!(mirror.rows("_tombstones").await[0]["message_id"], "msg_B");
}

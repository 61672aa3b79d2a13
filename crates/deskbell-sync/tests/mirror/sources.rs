//! Whose events a mirror takes.

use std::collections::BTreeMap;

use deskbell_store::StoredEvent;
use deskbell_sync::{MirrorOptions, SourceRule};

use crate::support::{Mirror, event, user};

fn from(source: &str, instance_id: Option<&str>, id: &str) -> StoredEvent {
    StoredEvent {
        source: source.into(),
        instance_id: instance_id.map(str::to_owned),
        ..event(&format!("msg_{id}"), "user.created", 1, &user(id, 1))
    }
}

fn taking(rules: &[(&str, Option<&str>)]) -> MirrorOptions {
    let sources: BTreeMap<_, _> = rules
        .iter()
        .map(|(source, instance_id)| {
            ((*source).to_owned(), SourceRule { instance_id: instance_id.map(str::to_owned) })
        })
        .collect();
    MirrorOptions { sources, ..MirrorOptions::default() }
}

#[tokio::test]
async fn events_of_another_instance_are_counted_and_not_applied() {
    let mut mirror = Mirror::with(taking(&[("clerk", Some("ins_ours"))])).await;
    let counts = mirror
        .apply_counted(&[
            from("clerk", Some("ins_ours"), "user_1"),
            from("clerk", Some("ins_theirs"), "user_2"),
            from("clerk", None, "user_3"),
            from("clerk", Some(""), "user_4"),
            from("another", Some("ins_ours"), "user_5"),
        ])
        .await;
    assert_eq!(mirror.ids("users").await, ["user_1", "user_3", "user_4"]);
    assert_eq!((counts.applied, counts.other_instance), (3, 2));
}

#[tokio::test]
async fn a_source_without_a_rule_for_instances_may_send_any() {
    let mut mirror = Mirror::with(taking(&[("clerk", None)])).await;
    mirror.apply(&[from("clerk", Some("ins_1"), "user_1"), from("other", None, "user_2")]).await;
    assert_eq!(mirror.ids("users").await, ["user_1"]);
}

#[tokio::test]
async fn without_rules_every_source_counts() {
    let mut mirror = Mirror::new().await;
    mirror.apply(&[from("a", Some("ins_1"), "user_1"), from("b", None, "user_2")]).await;
    assert_eq!(mirror.ids("users").await, ["user_1", "user_2"]);
}

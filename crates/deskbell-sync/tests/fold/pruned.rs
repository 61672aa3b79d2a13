//! Events whose payload has left the log: counted, never dead letters, and deletes all the same.

use deskbell_store::StoredEvent;

use super::support::{fold, fold_to, mappings, stored};

fn pruned(event_type: &str, subject: Option<&str>) -> StoredEvent {
    let mut event = stored("msg_1", event_type, 7, String::new());
    event.subject = subject.map(ToOwned::to_owned);
    event
}

#[test]
fn what_they_said_is_missing_and_counted() {
    let batch = fold(&[pruned("user.updated", Some("user_1")), pruned("user.created", None)]);
    assert_eq!((batch.counts.pruned, batch.counts.applied), (2, 0));
    assert!(batch.tables.is_empty());
    assert_eq!(batch.dead_letters, []);
}

#[test]
fn what_is_not_mirrored_is_not_missing() {
    let events = [pruned("role.created", Some("role_1")), pruned("comet.seen", None)];
    let batch = fold_to(mappings(&["user"]), &events);
    assert_eq!((batch.counts.pruned, batch.counts.not_mirrored), (0, 2));
}

#[test]
fn a_delete_needs_no_more_than_its_subject() {
    let batch = fold(&[pruned("user.deleted", Some("user_1"))]);
    assert_eq!((batch.counts.pruned, batch.counts.applied), (0, 1));
    let [tombstone] = &batch.tombstones[..] else { panic!("one tombstone") };
    assert_eq!((tombstone.entity, &*tombstone.id, tombstone.occurred_at_ms), ("user", "user_1", 7));
}

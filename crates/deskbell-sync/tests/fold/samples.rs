//! What becomes of the catalog's samples, for people to read: a snapshot an entity.

use std::collections::BTreeSet;

use clerk_webhooks::catalog;
use deskbell_sync::entity;

use super::support::{event, everything, fold, printed, row, stored, value};

/// A type for each entity whose sample says most.
const TYPES: [&str; 15] = [
    "user.updated",
    "organization.updated",
    "organizationMembership.created",
    "organizationDomain.updated",
    "organizationInvitation.accepted",
    "invitation.created",
    "session.created",
    "role.created",
    "permission.created",
    "waitlistEntry.updated",
    "subscription.created",
    "subscriptionItem.active",
    "paymentAttempt.updated",
    "email.created",
    "sms.created",
];

#[test]
fn every_entitys_sample_fills_its_columns() {
    let mut entities = BTreeSet::new();
    for event_type in TYPES {
        let sample = catalog::find(event_type).unwrap().sample.to_owned();
        let batch = fold(&[stored("msg_1", event_type, 1_700_000_000_000, sample)]);
        let (entity, _) = entity::change(event_type).unwrap();
        entities.insert(entity.name);
        insta::assert_snapshot!(entity.name, printed(&batch, &everything()));
    }
    assert_eq!(entities.len(), entity::ALL.len());
}

#[test]
fn every_sample_of_an_upsert_makes_the_row_that_it_names() {
    for entry in catalog::all() {
        let event_type = entry.event_type.as_str();
        let (entity, change) = entity::change(event_type).unwrap();
        let batch = fold(&[stored("msg_1", event_type, 1, entry.sample.to_owned())]);
        let made = batch.tables.iter().any(|table| table.entity == entity);
        assert_eq!(made, change == entity::Change::Upsert, "{event_type}");
        assert_eq!(batch.tombstones.len(), usize::from(!made), "{event_type}");
        assert_eq!(batch.dead_letters, [], "{event_type}");
    }
}

#[test]
fn a_user_that_is_deprovisioned_is_updated() {
    let data = serde_json::json!({ "id": "user_1", "deprovisioned": true });
    let batch = fold(&[event("msg_1", "user.updated", 1, &data)]);
    assert_eq!(batch.tombstones, []);
    assert_eq!(value(row(&batch, "user", "user_1"), "user", "deprovisioned"), "true");
}

//! Rows that are made again from what they have kept are as if their events had come now.

use std::collections::BTreeMap;

use deskbell_sync::OnDelete;
use proptest::prelude::*;

use super::backend::{CASES, Place};
use super::convergence::{arrival, block_on, cases};
use super::model::happenings;
use super::support::{Mirror, Rows, everything};

const EVENTS_MAX: usize = 30;
/// Columns of each kind that may be excluded: of a list, of a parent, of what others are filled from.
const EXCLUDED: [&str; 8] = [
    "user.primary_email_address",
    "user.locale",
    "organization.slug",
    "organization_membership.role",
    "subscription_item.plan_slug",
    "session.status",
    "permission.name",
    "user.private_metadata",
];

/// The rows of every mirrored table. A column that was emptied is as one that is not there.
async fn rows(mirror: &Mirror) -> BTreeMap<&'static str, Rows> {
    let mut tables = mirror.everything().await;
    tables.remove("_dead_letters");
    for row in tables.values_mut().flatten() {
        row.retain(|_, value| !value.is_null());
    }
    tables
}

#[test]
fn what_is_made_again_is_as_if_the_events_came_now() {
    let place = block_on(Place::new());
    let config = ProptestConfig { failure_persistence: None, ..cases(CASES) };
    let excluded = prop::sample::subsequence(EXCLUDED.to_vec(), 1..4);
    proptest!(config, |(
        happenings in happenings(EVENTS_MAX), arrival in arrival(), excluded in excluded, mark: bool
    )| {
        let batches = arrival.batches_of(&happenings);
        let on_delete = if mark { OnDelete::Mark } else { OnDelete::Delete };
        let mut before = everything();
        before.database.on_delete = on_delete;
        let exclude_columns = excluded.iter().map(|name| (*name).to_owned()).collect();
        let mut now = before.clone();
        now.database.exclude_columns = exclude_columns;
        let (again, expected) = block_on(async {
            let at = place.another(before).await;
            let mut mirror = Mirror::at(at.clone()).await;
            for batch in &batches {
                mirror.apply(batch).await;
            }
            mirror.close().await;
            let mut changed = now.clone();
            changed.database.url = at.database.url;
            changed.database.schema = at.database.schema;
            let mirror = Mirror::at(changed).await;
            mirror.remake().await;
            let again = rows(&mirror).await;
            mirror.close().await;
            let mut fresh = Mirror::at(place.another(now).await).await;
            for batch in &batches {
                fresh.apply(batch).await;
            }
            let expected = rows(&fresh).await;
            fresh.close().await;
            (again, expected)
        });
        prop_assert_eq!(again, expected);
    });
}

//! Plan and billing status on accounts of one's own.

use deskbell_sim::Message;
use serde_json::{Value, json};

use super::converges;
use super::samples::event;

/// A version of a subscription; the items are plans with their statuses.
fn version(
    event_type: &'static str,
    at: i64,
    id: &str,
    status: &str,
    more: &[(&str, Value)],
) -> Message {
    let common = [("/data/id", json!(id)), ("/data/status", json!(status))];
    event(event_type, at, &[&common, more].concat())
}

fn items(items: &[(&str, &str)]) -> (&'static str, Value) {
    let items = items.iter().map(|(plan, status)| {
        json!({ "id": format!("csub_item_{plan}"), "status": status, "plan": { "slug": plan },
                "period_end": 1_800_000_000_000_i64 })
    });
    ("/data/items", items.collect())
}

#[tokio::test]
async fn the_newest_version_of_the_subscription_counts_whatever_the_order() {
    let mira = ("/data/payer/user_id", json!("user_mira"));
    let juniper = ("/data/payer/organization_id", json!("org_juniper"));
    let (at, up) = (1_800_000_000_000, "subscription.updated");
    let pro = || items(&[("pro", "active")]);
    let leaving = items(&[("old", "ended"), ("pro", "canceled"), ("free", "upcoming")]);
    let past_due = items(&[("team", "past_due")]);
    let events = [
        version("subscription.created", at, "csub_1", "active", &[mira.clone(), pro()]),
        version("subscription.active", at + 1, "csub_1", "active", &[mira.clone(), pro()]),
        version(up, at + 2, "csub_2", "active", &[juniper.clone(), pro()]),
        version(up, at + 3, "csub_1", "canceled", &[mira, leaving]),
        version("subscription.pastDue", at + 4, "csub_2", "past_due", &[juniper, past_due]),
    ];
    converges(
        "billing",
        &events,
        "select owner_id, plan, status, paid_until, storage_gb from accounts order by owner_id",
        &[
            "org_juniper|team|past_due|2027-01-15T08:00:00.000Z|500",
            "user_mira|pro|canceled|2027-01-15T08:00:00.000Z|5",
        ],
    )
    .await;
}

//! Subscriptions of users and organizations to plans. They do not go with their payer: what was
//! billed stays on record.

use super::billing;
use super::column::{id, text, time};
use super::declaration::{Embedded, Entity};

pub(super) const SUBSCRIPTION: Entity = Entity {
    name: "subscription",
    table: "subscriptions",
    upserted_by: &[
        "subscription.created",
        "subscription.updated",
        "subscription.active",
        "subscription.pastDue",
    ],
    columns: &[
        id("id"),
        text("status"),
        id("payer_id").from(&[&["payer_id"], &["payer", "id"]]),
        billing::PAYER_USER_ID,
        billing::PAYER_ORGANIZATION_ID,
        billing::PAYER_EMAIL,
        billing::PAYER_FIRST_NAME,
        billing::PAYER_LAST_NAME,
        billing::PAYER_ORGANIZATION_NAME,
        id("latest_payment_id"),
        id("payment_source_id"),
        time("active_at"),
        time("past_due_at"),
        time("canceled_at"),
        time("ended_at"),
        time("created_at"),
        time("updated_at"),
    ],
    // Events and the API have them under different names.
    embedded: &[ITEMS, Embedded { list: "subscription_items", ..ITEMS }],
    ..Entity::PLAIN
};

const ITEMS: Embedded = Embedded {
    list: "items",
    entity: "subscription_item",
    inherits: &[("subscription_id", "id"), ("payer", "payer")],
};

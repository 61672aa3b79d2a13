//! Items of subscriptions, each to one plan: from their own events, and from those of the
//! subscription that holds them. They do not go with their payer either.
//!
//! Amounts are in the currency's smallest unit; the `_decimal` columns also hold those that are no whole
//! number of them.

use super::billing;
use super::column::{boolean, decimal, id, integer, text, time};
use super::declaration::Entity;

pub(super) const SUBSCRIPTION_ITEM: Entity = Entity {
    name: "subscription_item",
    table: "subscription_items",
    upserted_by: &[
        "subscriptionItem.created",
        "subscriptionItem.updated",
        "subscriptionItem.active",
        "subscriptionItem.canceled",
        "subscriptionItem.upcoming",
        "subscriptionItem.ended",
        "subscriptionItem.abandoned",
        "subscriptionItem.incomplete",
        "subscriptionItem.pastDue",
        "subscriptionItem.freeTrialEnding",
        "subscriptionItem.expired",
    ],
    columns: &[
        id("id"),
        id("subscription_id").indexed(),
        text("status"),
        billing::PAYER_ID,
        billing::PAYER_USER_ID,
        billing::PAYER_ORGANIZATION_ID,
        billing::PAYER_EMAIL,
        billing::PAYER_FIRST_NAME,
        billing::PAYER_LAST_NAME,
        billing::PAYER_ORGANIZATION_NAME,
        billing::PLAN_ID,
        billing::PLAN_SLUG,
        billing::PLAN_NAME,
        billing::PLAN_AMOUNT,
        billing::PLAN_CURRENCY,
        boolean("plan_is_recurring").from(&[&["plan", "is_recurring"]]),
        boolean("plan_free_trial_enabled").from(&[&["plan", "free_trial_enabled"]]),
        integer("plan_free_trial_days").from(&[&["plan", "free_trial_days"]]),
        billing::INTERVAL,
        boolean("is_free_trial"),
        integer("seats_quantity").from(&[&["seats", "quantity"]]),
        billing::AMOUNT,
        billing::CURRENCY,
        billing::CREDIT_AMOUNT,
        text("proration_date"),
        integer("lifetime_paid").from(&[&["lifetime_paid", "amount"], &["lifetime_paid"]]),
        integer("next_payment_amount")
            .from(&[&["next_payment_amount", "amount"], &["next_payment_amount"]]),
        time("next_payment_date"),
        time("period_start"),
        time("period_end"),
        time("past_due_at"),
        time("canceled_at"),
        time("created_at"),
        time("updated_at"),
        billing::PLAN_AMOUNT_DECIMAL,
        billing::AMOUNT_DECIMAL,
        billing::CREDIT_AMOUNT_DECIMAL,
        decimal("lifetime_paid_decimal").from(&[&["lifetime_paid", "amount"], &["lifetime_paid"]]),
        decimal("next_payment_amount_decimal")
            .from(&[&["next_payment_amount", "amount"], &["next_payment_amount"]]),
    ],
    nested_as: &["items", "subscription_items"],
    ..Entity::PLAIN
};

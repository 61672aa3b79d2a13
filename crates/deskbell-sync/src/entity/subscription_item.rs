//! Items of subscriptions, each to one plan: from their own events, and from those of the
//! subscription that holds them. They do not go with their payer either.
//!
//! Two generations of their shape are in use at once: the billing period is `interval` or
//! `plan_period`; what is set off is `credits` or `credit`. Amounts are in the currency's smallest
//! unit; the `_decimal` columns also hold those that are no whole number of them.

use super::column::{boolean, decimal, id, integer, text, time};
use super::{Entity, Raw};

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
    deleted_by: &[],
    parents: &[],
    version: "updated_at",
    columns: &[
        id("id"),
        id("subscription_id").indexed(),
        text("status"),
        id("payer_id").from(&[&["payer", "id"], &["payer_id"]]),
        id("payer_user_id").from(&[&["payer", "user_id"]]).indexed(),
        id("payer_organization_id").from(&[&["payer", "organization_id"]]).indexed(),
        text("payer_email").from(&[&["payer", "email"]]).blank_is_null(),
        text("payer_first_name").from(&[&["payer", "first_name"]]).blank_is_null(),
        text("payer_last_name").from(&[&["payer", "last_name"]]).blank_is_null(),
        text("payer_organization_name").from(&[&["payer", "organization_name"]]).blank_is_null(),
        id("plan_id").from(&[&["plan_id"], &["plan", "id"]]),
        text("plan_slug").from(&[&["plan", "slug"]]),
        text("plan_name").from(&[&["plan", "name"]]),
        integer("plan_amount").from(&[&["plan", "amount", "amount"], &["plan", "amount"]]),
        text("plan_currency").from(&[&["plan", "currency"], &["plan", "amount", "currency"]]),
        boolean("plan_is_recurring").from(&[&["plan", "is_recurring"]]),
        boolean("plan_free_trial_enabled").from(&[&["plan", "free_trial_enabled"]]),
        integer("plan_free_trial_days").from(&[&["plan", "free_trial_days"]]),
        text("interval").from(&[&["interval"], &["plan_period"]]),
        boolean("is_free_trial"),
        integer("seats_quantity").from(&[&["seats", "quantity"]]),
        integer("amount").from(&[&["amount", "amount"], &["amount"]]),
        text("currency").from(&[&["amount", "currency"], &["plan", "currency"]]),
        integer("credit_amount")
            .from(&[&["credits", "total", "amount"], &["credit", "amount", "amount"]]),
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
        decimal("plan_amount_decimal").from(&[&["plan", "amount", "amount"], &["plan", "amount"]]),
        decimal("amount_decimal").from(&[&["amount", "amount"], &["amount"]]),
        decimal("credit_amount_decimal")
            .from(&[&["credits", "total", "amount"], &["credit", "amount", "amount"]]),
        decimal("lifetime_paid_decimal").from(&[&["lifetime_paid", "amount"], &["lifetime_paid"]]),
        decimal("next_payment_amount_decimal")
            .from(&[&["next_payment_amount", "amount"], &["next_payment_amount"]]),
    ],
    nested_as: &["items", "subscription_items"],
    children: &[],
    embedded: &[],
    raw: Raw::Whole,
    by_default: true,
};

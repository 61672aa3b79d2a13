//! Attempts to collect a payment. They do not go with their payer: what was billed stays on
//! record. Amounts are in the currency's smallest unit; the `_decimal` columns also hold those that
//! are no whole number of them.
//!
//! The items that an attempt lists are no versions of the items: they say what is being paid for,
//! and bear no time of their own in the older shape.

use super::billing;
use super::column::{boolean, decimal, id, integer, text, time};
use super::declaration::{Children, Entity};

pub(super) const PAYMENT_ATTEMPT: Entity = Entity {
    name: "payment_attempt",
    table: "payment_attempts",
    upserted_by: &["paymentAttempt.created", "paymentAttempt.updated"],
    columns: &[
        id("id"),
        id("instance_id"),
        id("payment_id").indexed(),
        id("statement_id").indexed(),
        id("invoice_id"),
        text("status"),
        text("charge_type"),
        billing::PAYER_ID,
        billing::PAYER_USER_ID,
        billing::PAYER_ORGANIZATION_ID,
        billing::PAYER_EMAIL,
        billing::PAYER_FIRST_NAME,
        billing::PAYER_LAST_NAME,
        billing::PAYER_ORGANIZATION_NAME,
        id("payee_id").from(&[&["payee", "id"]]),
        integer("subtotal").from(&[&["totals", "subtotal", "amount"]]),
        integer("tax_total").from(&[&["totals", "tax_total", "amount"]]),
        integer("grand_total").from(&[&["totals", "grand_total", "amount"]]),
        text("currency").from(&[&["totals", "grand_total", "currency"]]),
        text("failed_reason_code").from(&[&["failed_reason", "code"]]),
        text("failed_reason_decline_code").from(&[&["failed_reason", "decline_code"]]),
        text("gateway_external_id"),
        id("payment_source_id").from(&[&["payment_source", "id"]]),
        text("payment_method").from(&[&["payment_source", "payment_method"]]),
        text("card_type").from(&[&["payment_source", "card_type"]]),
        text("last4").from(&[&["payment_source", "last4"]]),
        time("billing_date"),
        time("paid_at"),
        time("failed_at"),
        time("created_at"),
        time("updated_at"),
        decimal("subtotal_decimal").from(&[&["totals", "subtotal", "amount"]]),
        decimal("tax_total_decimal").from(&[&["totals", "tax_total", "amount"]]),
        decimal("grand_total_decimal").from(&[&["totals", "grand_total", "amount"]]),
    ],
    children: &[ITEMS],
    ..Entity::PLAIN
};

const ITEMS: Children = Children {
    table: "payment_attempt_items",
    list: "subscription_items",
    parent: "payment_attempt_id",
    columns: &[
        id("id"),
        id("subscription_id"),
        text("status"),
        billing::PLAN_ID,
        billing::PLAN_SLUG,
        billing::PLAN_NAME,
        billing::PLAN_AMOUNT,
        billing::PLAN_CURRENCY,
        billing::INTERVAL,
        boolean("is_free_trial"),
        billing::AMOUNT,
        billing::CURRENCY,
        billing::CREDIT_AMOUNT,
        time("period_start"),
        time("period_end"),
        time("created_at"),
        time("updated_at"),
        billing::PLAN_AMOUNT_DECIMAL,
        billing::AMOUNT_DECIMAL,
        billing::CREDIT_AMOUNT_DECIMAL,
    ],
    of: None,
};

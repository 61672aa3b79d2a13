//! Attempts to collect a payment. They do not go with their payer: what was billed stays on
//! record. Amounts are in the currency's smallest unit; the `_decimal` columns also hold those that
//! are no whole number of them.
//!
//! The items that an attempt lists are no versions of the items: they say what is being paid for,
//! and bear no time of their own in the older shape.

use super::column::{boolean, decimal, id, integer, text, time};
use super::{Children, Entity, Raw};

pub(super) const PAYMENT_ATTEMPT: Entity = Entity {
    name: "payment_attempt",
    table: "payment_attempts",
    upserted_by: &["paymentAttempt.created", "paymentAttempt.updated"],
    deleted_by: &[],
    parents: &[],
    version: "updated_at",
    columns: &[
        id("id"),
        id("instance_id"),
        id("payment_id").indexed(),
        id("statement_id").indexed(),
        id("invoice_id"),
        text("status"),
        text("charge_type"),
        id("payer_id").from(&[&["payer", "id"], &["payer_id"]]),
        id("payer_user_id").from(&[&["payer", "user_id"]]).indexed(),
        id("payer_organization_id").from(&[&["payer", "organization_id"]]).indexed(),
        text("payer_email").from(&[&["payer", "email"]]).blank_is_null(),
        text("payer_first_name").from(&[&["payer", "first_name"]]).blank_is_null(),
        text("payer_last_name").from(&[&["payer", "last_name"]]).blank_is_null(),
        text("payer_organization_name").from(&[&["payer", "organization_name"]]).blank_is_null(),
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
    nested_as: &[],
    children: &[ITEMS],
    embedded: &[],
    raw: Raw::Whole,
    by_default: true,
};

const ITEMS: Children = Children {
    table: "payment_attempt_items",
    list: "subscription_items",
    parent: "payment_attempt_id",
    columns: &[
        id("id"),
        id("subscription_id"),
        text("status"),
        id("plan_id").from(&[&["plan_id"], &["plan", "id"]]),
        text("plan_slug").from(&[&["plan", "slug"]]),
        text("plan_name").from(&[&["plan", "name"]]),
        integer("plan_amount").from(&[&["plan", "amount", "amount"], &["plan", "amount"]]),
        text("plan_currency").from(&[&["plan", "currency"], &["plan", "amount", "currency"]]),
        text("interval").from(&[&["interval"], &["plan_period"]]),
        boolean("is_free_trial"),
        integer("amount").from(&[&["amount", "amount"], &["amount"]]),
        text("currency").from(&[&["amount", "currency"], &["plan", "currency"]]),
        integer("credit_amount")
            .from(&[&["credits", "total", "amount"], &["credit", "amount", "amount"]]),
        time("period_start"),
        time("period_end"),
        time("created_at"),
        time("updated_at"),
        decimal("plan_amount_decimal").from(&[&["plan", "amount", "amount"], &["plan", "amount"]]),
        decimal("amount_decimal").from(&[&["amount", "amount"], &["amount"]]),
        decimal("credit_amount_decimal")
            .from(&[&["credits", "total", "amount"], &["credit", "amount", "amount"]]),
    ],
    of: None,
};

//! Attempts to collect a payment. They do not go with their payer: what was billed stays on
//! record. Amounts are in the currency's smallest unit.
//!
//! The items that an attempt lists are no versions of the items: they say what is being paid for,
//! and bear no time of their own in the older shape.

use super::column::{id, integer, text, time};
use super::{Entity, Raw};

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
    ],
    nested_as: &[],
    children: &[],
    embedded: &[],
    raw: Raw::Whole,
    by_default: true,
};

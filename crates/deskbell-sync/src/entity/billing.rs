//! Columns that tables about billing share. Two generations of payloads are in use at once: the billing
//! period is `interval` or `plan_period`; what is set off is `credits` or `credit`.

use super::column::{Column, decimal, id, integer, text};

pub(super) const PAYER_ID: Column = id("payer_id").from(&[&["payer", "id"], &["payer_id"]]);
pub(super) const PAYER_USER_ID: Column =
    id("payer_user_id").from(&[&["payer", "user_id"]]).indexed();
pub(super) const PAYER_ORGANIZATION_ID: Column =
    id("payer_organization_id").from(&[&["payer", "organization_id"]]).indexed();
pub(super) const PAYER_EMAIL: Column =
    text("payer_email").from(&[&["payer", "email"]]).blank_is_null();
pub(super) const PAYER_FIRST_NAME: Column =
    text("payer_first_name").from(&[&["payer", "first_name"]]).blank_is_null();
pub(super) const PAYER_LAST_NAME: Column =
    text("payer_last_name").from(&[&["payer", "last_name"]]).blank_is_null();
pub(super) const PAYER_ORGANIZATION_NAME: Column =
    text("payer_organization_name").from(&[&["payer", "organization_name"]]).blank_is_null();

pub(super) const PLAN_ID: Column = id("plan_id").from(&[&["plan_id"], &["plan", "id"]]);
pub(super) const PLAN_SLUG: Column = text("plan_slug").from(&[&["plan", "slug"]]);
pub(super) const PLAN_NAME: Column = text("plan_name").from(&[&["plan", "name"]]);
pub(super) const PLAN_AMOUNT: Column = integer("plan_amount").from(PLAN_AMOUNT_PATHS);
pub(super) const PLAN_AMOUNT_DECIMAL: Column =
    decimal("plan_amount_decimal").from(PLAN_AMOUNT_PATHS);
pub(super) const PLAN_CURRENCY: Column =
    text("plan_currency").from(&[&["plan", "currency"], &["plan", "amount", "currency"]]);

pub(super) const INTERVAL: Column = text("interval").from(&[&["interval"], &["plan_period"]]);
pub(super) const AMOUNT: Column = integer("amount").from(AMOUNT_PATHS);
pub(super) const AMOUNT_DECIMAL: Column = decimal("amount_decimal").from(AMOUNT_PATHS);
pub(super) const CURRENCY: Column =
    text("currency").from(&[&["amount", "currency"], &["plan", "currency"]]);
pub(super) const CREDIT_AMOUNT: Column = integer("credit_amount").from(CREDIT_PATHS);
pub(super) const CREDIT_AMOUNT_DECIMAL: Column =
    decimal("credit_amount_decimal").from(CREDIT_PATHS);

const PLAN_AMOUNT_PATHS: &[&[&str]] = &[&["plan", "amount", "amount"], &["plan", "amount"]];
const AMOUNT_PATHS: &[&[&str]] = &[&["amount", "amount"], &["amount"]];
const CREDIT_PATHS: &[&[&str]] =
    &[&["credits", "total", "amount"], &["credit", "amount", "amount"]];

//! `PaymentAttempt`, the payload of the `paymentAttempt` events.

use crate::payload::fields::{Extra, entity};
use crate::payload::money::Totals;
use crate::payload::payer::Payer;
use crate::payload::subscription::SubscriptionItem;
use crate::text_enum::text_enum;
use crate::time::UnixMillis;

/// A try at a payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaymentAttempt {
    /// Such as `cpayatt_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: String,
    /// Its kind, where it is there.
    pub object: Option<String>,
    /// The Clerk instance.
    pub instance_id: Option<String>,
    /// The payment that it is a try at.
    pub payment_id: Option<String>,
    /// The older name of `statement_id`.
    pub invoice_id: Option<String>,
    /// The statement that it stands on.
    pub statement_id: Option<String>,
    /// Its id at the payment provider.
    pub gateway_external_id: Option<String>,
    /// How it went.
    pub status: Option<PaymentStatus>,
    /// When it was paid.
    pub paid_at: Option<UnixMillis>,
    /// When it failed.
    pub failed_at: Option<UnixMillis>,
    /// Why it failed.
    pub failed_reason: Option<PaymentFailure>,
    /// When it was due.
    pub billing_date: Option<UnixMillis>,
    /// What caused it.
    pub charge_type: Option<ChargeType>,
    /// Who is paid.
    pub payee: Option<Payee>,
    /// Who pays.
    pub payer: Option<Payer>,
    /// What it comes to.
    pub totals: Option<Totals>,
    /// What is charged.
    pub payment_source: Option<PaymentSource>,
    /// What it is for.
    pub subscription_items: Option<Vec<SubscriptionItem>>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(PaymentAttempt: id {
    object, instance_id, payment_id, invoice_id, statement_id, gateway_external_id, status,
    paid_at, failed_at, failed_reason, billing_date, charge_type, payee, payer, totals,
    payment_source, subscription_items, created_at, updated_at,
});

/// How a payment went.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PaymentStatus {
    /// Not decided yet.
    Pending,
    /// Paid.
    Paid,
    /// Failed.
    Failed,
    /// One that this version does not know.
    Unknown(String),
}

text_enum!(PaymentStatus { Pending = "pending", Paid = "paid", Failed = "failed" });

/// What caused a payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChargeType {
    /// Somebody bought something.
    Checkout,
    /// A new period began.
    Recurring,
    /// One that this version does not know.
    Unknown(String),
}

text_enum!(ChargeType { Checkout = "checkout", Recurring = "recurring" });

/// Why a payment failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaymentFailure {
    /// A stable name of the reason.
    pub code: Option<String>,
    /// The bank's name of the reason.
    pub decline_code: Option<String>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(PaymentFailure { code, decline_code });

/// Who is paid: your account at the payment provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payee {
    /// Such as `cpayee_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: Option<String>,
    /// Such as `stripe`.
    pub gateway_type: Option<String>,
    /// The account's id there.
    pub gateway_external_id: Option<String>,
    /// Whether the account is in use.
    pub gateway_status: Option<String>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Payee { id, gateway_type, gateway_external_id, gateway_status });

/// What is charged, such as a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaymentSource {
    /// Such as `cpaysrc_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: Option<String>,
    /// Such as `stripe`.
    pub gateway: Option<String>,
    /// Its id there.
    pub gateway_external_id: Option<String>,
    /// The account's id there.
    pub gateway_external_account_id: Option<String>,
    /// Such as `card`.
    pub payment_method: Option<String>,
    /// Such as `active`.
    pub status: Option<String>,
    /// Such as `visa`.
    pub card_type: Option<String>,
    /// The last digits of the card.
    pub last4: Option<String>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(PaymentSource {
    id,
    gateway,
    gateway_external_id,
    gateway_external_account_id,
    payment_method,
    status,
    card_type,
    last4,
});

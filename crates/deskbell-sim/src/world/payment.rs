//! Attempts to collect what a subscription costs.

use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::ids::entity_id;
use super::payer::Payer;
use super::pool::HasId;
use super::subscription::Subscription;
use crate::truth::{Row, time, time_or_null};

/// The taxes on what is paid, in percent.
const TAX_PERCENT: i64 = 25;

/// An attempt to collect what a subscription costs.
#[derive(Debug, Clone)]
pub(crate) struct PaymentAttempt {
    pub(crate) id: String,
    pub(crate) subscription_id: String,
    payer: Payer,
    payment_id: String,
    statement_id: String,
    payment_source_id: String,
    amount: i64,
    pub(crate) status: &'static str,
    paid_at: Option<i64>,
    failed_at: Option<i64>,
    created_at: i64,
    pub(crate) updated_at: i64,
}

impl PaymentAttempt {
    pub(crate) fn begin(subscription: &Subscription, at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        Self {
            id: entity_id("cpayatt_", at_ms, rng),
            subscription_id: subscription.id.clone(),
            payer: subscription.payer.clone(),
            payment_id: subscription.latest_payment_id.clone(),
            statement_id: entity_id("cstmt_", at_ms, rng),
            payment_source_id: subscription.payment_source_id.clone(),
            amount: subscription.amount(),
            status: "pending",
            paid_at: None,
            failed_at: None,
            created_at: at_ms,
            updated_at: at_ms,
        }
    }

    pub(crate) fn end(&mut self, is_paid: bool, at_ms: i64) {
        self.status = if is_paid { "paid" } else { "failed" };
        self.paid_at = is_paid.then_some(at_ms);
        self.failed_at = (!is_paid).then_some(at_ms);
        self.updated_at = at_ms;
    }

    /// The amounts before and after taxes, and the taxes.
    fn totals(&self) -> (i64, i64, i64) {
        let tax = self.amount * TAX_PERCENT / 100;
        (self.amount, tax, self.amount + tax)
    }

    pub(crate) fn payload(&self) -> Value {
        let money = |amount: i64| json!({"amount": amount, "currency": "USD"});
        let (subtotal, tax, total) = self.totals();
        let failed_reason =
            self.failed_at.map(|_| json!({"code": "card_declined", "decline_code": null}));
        json!({
            "billing_date": self.created_at,
            "charge_type": "recurring",
            "created_at": self.created_at,
            "failed_at": self.failed_at,
            "failed_reason": failed_reason,
            "id": self.id,
            "invoice_id": self.statement_id,
            "paid_at": self.paid_at,
            "payer": self.payer.payload(),
            "payment_id": self.payment_id,
            "payment_source": {
                "card_type": "visa",
                "id": self.payment_source_id,
                "last4": "4242",
                "payment_method": "card",
                "status": "active",
            },
            "statement_id": self.statement_id,
            "status": self.status,
            "subscription_items": [],
            "totals": {
                "grand_total": money(total),
                "subtotal": money(subtotal),
                "tax_total": money(tax),
            },
            "updated_at": self.updated_at,
        })
    }

    /// The row of table `payment_attempts`.
    pub(crate) fn row(&self) -> Row {
        let (subtotal, tax, total) = self.totals();
        let failed_reason = self.failed_at.map_or(Value::Null, |_| "card_declined".into());
        let mut row = Row::from([
            ("id", self.id.as_str().into()),
            ("payment_id", self.payment_id.as_str().into()),
            ("statement_id", self.statement_id.as_str().into()),
            ("invoice_id", self.statement_id.as_str().into()),
            ("status", self.status.into()),
            ("charge_type", "recurring".into()),
            ("subtotal", subtotal.into()),
            ("tax_total", tax.into()),
            ("grand_total", total.into()),
            ("currency", "USD".into()),
            ("failed_reason_code", failed_reason),
            ("payment_source_id", self.payment_source_id.as_str().into()),
            ("payment_method", "card".into()),
            ("last4", "4242".into()),
            ("billing_date", time(self.created_at)),
            ("paid_at", time_or_null(self.paid_at)),
            ("failed_at", time_or_null(self.failed_at)),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ]);
        row.extend(self.payer.columns());
        row
    }
}

impl HasId for PaymentAttempt {
    fn id(&self) -> &str {
        &self.id
    }
}

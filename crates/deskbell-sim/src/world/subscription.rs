//! Subscriptions of users and organizations, with one item each.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::ids::entity_id;
use super::payer::Payer;
use super::pool::HasId;
use crate::truth::{Row, time, time_or_null};

const MONTH_MS: i64 = 30 * 86_400_000;
const PLANS: [(&str, &str, &str, i64); 3] = [
    ("cplan_2wLvlsOPrvbwfeGLc0Ti1kGvfr0", "pro", "Pro", 2_400),
    ("cplan_2wLvlsOPrvbwfeGLc0Ti1kGvfr1", "team", "Team & Co", 9_600),
    ("cplan_2wLvlsOPrvbwfeGLc0Ti1kGvfr2", "free", "Free", 0),
];

/// A subscription and its only item, each of which changes at its own time.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) payer: Payer,
    status: &'static str,
    pub(crate) latest_payment_id: String,
    pub(crate) payment_source_id: String,
    past_due_at: Option<i64>,
    created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) item: Item,
}

#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) status: &'static str,
    plan: usize,
    period_start: i64,
    past_due_at: Option<i64>,
    canceled_at: Option<i64>,
    created_at: i64,
    pub(crate) updated_at: i64,
}

impl Subscription {
    pub(crate) fn begin(payer: Payer, at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        let item = Item {
            id: entity_id("csub_item_", at_ms, rng),
            status: "active",
            plan: rng.random_range(0..PLANS.len()),
            period_start: at_ms,
            past_due_at: None,
            canceled_at: None,
            created_at: at_ms,
            updated_at: at_ms,
        };
        Self {
            id: entity_id("csub_", at_ms, rng),
            payer,
            status: "active",
            latest_payment_id: entity_id("cpay_", at_ms, rng),
            payment_source_id: entity_id("paysrc_", at_ms, rng),
            past_due_at: None,
            created_at: at_ms,
            updated_at: at_ms,
            item,
        }
    }

    /// A new period begins, perhaps with another plan.
    pub(crate) fn renew(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        self.set_status("active", at_ms);
        self.latest_payment_id = entity_id("cpay_", at_ms, rng);
        self.item.plan = rng.random_range(0..PLANS.len());
        self.item.period_start = at_ms;
        self.item.canceled_at = None;
    }

    /// Both change at once, and never twice in one millisecond.
    pub(crate) fn set_status(&mut self, status: &'static str, at_ms: i64) {
        self.updated_at = at_ms.max(self.updated_at + 1);
        self.status = status;
        self.past_due_at = (status == "past_due").then_some(at_ms);
        self.item.status = status;
        self.item.past_due_at = self.past_due_at;
        self.item.updated_at = at_ms.max(self.item.updated_at + 1);
    }

    /// The item ends with its period; the subscription itself does not change.
    pub(crate) fn cancel_item(&mut self, at_ms: i64) {
        self.item.status = "canceled";
        self.item.canceled_at = Some(at_ms);
        self.item.updated_at = at_ms.max(self.item.updated_at + 1);
    }

    pub(crate) fn payload(&self) -> Value {
        let mut item = self.item_payload();
        if let Some(members) = item.as_object_mut() {
            // Inside its subscription an item does not repeat whose it is.
            members.remove("payer");
            members.insert("subscription_id".to_owned(), Value::Null);
        }
        json!({
            "active_at": self.created_at,
            "canceled_at": null,
            "created_at": self.created_at,
            "ended_at": null,
            "id": self.id,
            "items": [item],
            "latest_payment_id": self.latest_payment_id,
            "object": "commerce_subscription",
            "past_due_at": self.past_due_at,
            "payer": self.payer.payload(),
            "payer_id": self.payer.id,
            "payment_source_id": self.payment_source_id,
            "status": self.status,
            "updated_at": self.updated_at,
        })
    }

    /// The row of table `subscriptions`.
    pub(crate) fn row(&self) -> Row {
        let mut row = Row::from([
            ("id", self.id.as_str().into()),
            ("status", self.status.into()),
            ("latest_payment_id", self.latest_payment_id.as_str().into()),
            ("payment_source_id", self.payment_source_id.as_str().into()),
            ("active_at", time(self.created_at)),
            ("past_due_at", time_or_null(self.past_due_at)),
            ("canceled_at", Value::Null),
            ("ended_at", Value::Null),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ]);
        row.extend(self.payer.columns());
        row
    }

    pub(crate) fn item_payload(&self) -> Value {
        let item = &self.item;
        let (plan_id, slug, name, amount) = PLANS[item.plan];
        json!({
            "canceled_at": item.canceled_at,
            "created_at": item.created_at,
            "id": item.id,
            "interval": "month",
            "is_free_trial": false,
            "object": "commerce_subscription_item",
            "past_due_at": item.past_due_at,
            "payer": self.payer.payload(),
            "period_end": item.period_start + MONTH_MS,
            "period_start": item.period_start,
            "plan": {
                "amount": amount,
                "currency": "USD",
                "id": plan_id,
                "is_recurring": true,
                "name": name,
                "slug": slug,
            },
            "plan_id": plan_id,
            "status": item.status,
            "subscription_id": self.id,
            "updated_at": item.updated_at,
        })
    }

    /// The row of table `subscription_items`.
    pub(crate) fn item_row(&self) -> Row {
        let item = &self.item;
        let (plan_id, slug, name, amount) = PLANS[item.plan];
        let mut row = Row::from([
            ("id", item.id.as_str().into()),
            ("subscription_id", self.id.as_str().into()),
            ("status", item.status.into()),
            ("plan_id", plan_id.into()),
            ("plan_slug", slug.into()),
            ("plan_name", name.into()),
            ("plan_amount", amount.into()),
            ("plan_currency", "USD".into()),
            ("plan_is_recurring", true.into()),
            ("interval", "month".into()),
            ("is_free_trial", false.into()),
            ("period_start", time(item.period_start)),
            ("period_end", time(item.period_start + MONTH_MS)),
            ("past_due_at", time_or_null(item.past_due_at)),
            ("canceled_at", time_or_null(item.canceled_at)),
            ("created_at", time(item.created_at)),
            ("updated_at", time(item.updated_at)),
        ]);
        row.extend(self.payer.columns());
        row
    }

    /// What a period costs.
    pub(crate) fn amount(&self) -> i64 {
        let (.., amount) = PLANS[self.item.plan];
        amount
    }
}

impl HasId for Subscription {
    fn id(&self) -> &str {
        &self.id
    }
}

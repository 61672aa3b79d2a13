//! `Subscription` and `SubscriptionItem`, the payloads of the events of those names.

use serde_json::Number;

use crate::payload::fields::{Extra, entity};
use crate::payload::money::{Credit, Credits, Money};
use crate::payload::payer::Payer;
use crate::payload::plan::Plan;
use crate::text_enum::text_enum;
use crate::time::UnixMillis;

/// What a user or an organization subscribed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// Such as `csub_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: String,
    /// `commerce_subscription`.
    pub object: Option<String>,
    /// How it stands.
    pub status: Option<SubscriptionStatus>,
    /// The id of the payer: not that of a user or an organization.
    pub payer_id: Option<String>,
    /// Who pays.
    pub payer: Option<Payer>,
    /// The means of payment.
    pub payment_source_id: Option<String>,
    /// The last payment.
    pub latest_payment_id: Option<String>,
    /// The plans in it.
    pub items: Option<Vec<SubscriptionItem>>,
    /// Since when it is active.
    pub active_at: Option<UnixMillis>,
    /// When it was canceled.
    pub canceled_at: Option<UnixMillis>,
    /// When it ended.
    pub ended_at: Option<UnixMillis>,
    /// Since when a payment is missing.
    pub past_due_at: Option<UnixMillis>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Subscription: id {
    object, status, payer_id, payer, payment_source_id, latest_payment_id, items, active_at,
    canceled_at, ended_at, past_due_at, created_at, updated_at,
});

/// How a subscription stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubscriptionStatus {
    /// Paid, or free.
    Active,
    /// A payment is missing.
    PastDue,
    /// Ends with the period that is paid.
    Canceled,
    /// Over.
    Ended,
    /// Replaced before it began.
    Abandoned,
    /// Waits for the payer to do something.
    Incomplete,
    /// Begins later.
    Upcoming,
    /// One that this version does not know.
    Unknown(String),
}

text_enum!(SubscriptionStatus { Active = "active", PastDue = "past_due", Canceled = "canceled", Ended = "ended", Abandoned = "abandoned", Incomplete = "incomplete", Upcoming = "upcoming" });

/// One plan in a subscription.
///
/// Two generations of its shape are in use: `interval` and `subscription_id` are of the newer one; `plan_period`,
/// `amount`, `credit`, `lifetime_paid` and `next_payment_*` of the older.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionItem {
    /// Such as `csub_item_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: String,
    /// `subscription_item` or `commerce_subscription_item`.
    pub object: Option<String>,
    /// How it stands.
    pub status: Option<SubscriptionItemStatus>,
    /// Whether nothing is due yet.
    pub is_free_trial: Option<bool>,
    /// When the period began.
    pub period_start: Option<UnixMillis>,
    /// When it ends; none where it does not.
    pub period_end: Option<UnixMillis>,
    /// How often it is paid.
    pub interval: Option<BillingInterval>,
    /// How often it is paid, in the older shape.
    pub plan_period: Option<BillingInterval>,
    /// The id of the plan.
    pub plan_id: Option<String>,
    /// The plan.
    pub plan: Option<Plan>,
    /// Who pays.
    pub payer: Option<Payer>,
    /// The subscription; none inside one.
    pub subscription_id: Option<String>,
    /// How many seats it is for.
    pub seats: Option<Seats>,
    /// The price of a period.
    pub amount: Option<Money>,
    /// What is set off for an unused part of a period.
    pub credit: Option<Credit>,
    /// What is set off in all.
    pub credits: Option<Credits>,
    /// The day from which it is paid in part.
    pub proration_date: Option<String>,
    /// What was paid for it in all, in the smallest unit of the currency.
    pub lifetime_paid: Option<Number>,
    /// What is due next, in the smallest unit of the currency.
    pub next_payment_amount: Option<Number>,
    /// When that is due.
    pub next_payment_date: Option<UnixMillis>,
    /// When it was canceled.
    pub canceled_at: Option<UnixMillis>,
    /// Since when a payment is missing.
    pub past_due_at: Option<UnixMillis>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(SubscriptionItem: id {
    object, status, is_free_trial, period_start, period_end, interval, plan_period, plan_id,
    plan, payer, subscription_id, seats, amount, credit, credits, proration_date, lifetime_paid,
    next_payment_amount, next_payment_date, canceled_at, past_due_at, created_at, updated_at,
});

impl SubscriptionItem {
    /// How often it is paid, in whichever shape it came.
    #[must_use]
    pub fn billing_interval(&self) -> Option<&BillingInterval> {
        self.interval.as_ref().or(self.plan_period.as_ref())
    }

    /// The id of the plan, from wherever it is.
    #[must_use]
    pub fn plan_id(&self) -> Option<&str> {
        let id = || self.plan.as_ref()?.id.as_deref();
        self.plan_id.as_deref().or_else(id)
    }
}

/// How a subscription item stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubscriptionItemStatus {
    /// In force.
    Active,
    /// Ends with the period that is paid.
    Canceled,
    /// Over.
    Ended,
    /// A payment is missing.
    PastDue,
    /// Begins later.
    Upcoming,
    /// Replaced before it began.
    Abandoned,
    /// Waits for the payer to do something.
    Incomplete,
    /// Not completed in time.
    Expired,
    /// Nothing is due yet.
    FreeTrial,
    /// One that this version does not know.
    Unknown(String),
}

text_enum!(SubscriptionItemStatus { Active = "active", Canceled = "canceled", Ended = "ended", PastDue = "past_due", Upcoming = "upcoming", Abandoned = "abandoned", Incomplete = "incomplete", Expired = "expired", FreeTrial = "free_trial" });

/// How often something is paid.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BillingInterval {
    /// Every month.
    Month,
    /// Every year.
    Annual,
    /// One that this version does not know.
    Unknown(String),
}

text_enum!(BillingInterval { Month = "month", Annual = "annual" });

/// The seats of a subscription item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seats {
    /// How many; none where there is no limit.
    pub quantity: Option<i64>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Seats { quantity });

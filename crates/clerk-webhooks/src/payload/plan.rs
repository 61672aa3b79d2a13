//! `Plan`, what can be subscribed to.

use serde_json::Number;

use crate::payload::fields::{Extra, entity};

/// What can be subscribed to. Payments bear more of it than subscriptions do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Such as `cplan_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: Option<String>,
    /// Its kind, where it is there.
    pub object: Option<String>,
    /// The Clerk instance.
    pub instance_id: Option<String>,
    /// The product that it belongs to.
    pub product_id: Option<String>,
    /// Such as `pro`.
    pub slug: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// The price of a month, in the smallest unit of the currency.
    pub amount: Option<Number>,
    /// The price of a month when paid by the year.
    pub annual_monthly_amount: Option<Number>,
    /// Such as `USD`.
    pub currency: Option<String>,
    /// How often it is paid, in the older shape.
    pub period: Option<String>,
    /// How many periods a payment is for.
    pub interval: Option<i64>,
    /// Whether those who chose nothing have it.
    pub is_default: Option<bool>,
    /// Whether it is paid again and again.
    pub is_recurring: Option<bool>,
    /// Whether part of a period costs part of the price.
    pub is_prorated: Option<bool>,
    /// Whether it costs something before use.
    pub has_base_fee: Option<bool>,
    /// Whether it is offered to everybody.
    pub publicly_visible: Option<bool>,
    /// Whether it begins with a free trial.
    pub free_trial_enabled: Option<bool>,
    /// How long that is.
    pub free_trial_days: Option<i64>,
    /// What each unit, such as a seat, costs.
    pub unit_prices: Option<Vec<UnitPrice>>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Plan {
    id,
    object,
    instance_id,
    product_id,
    slug,
    name,
    description,
    amount,
    annual_monthly_amount,
    currency,
    period,
    interval,
    is_default,
    is_recurring,
    is_prorated,
    has_base_fee,
    publicly_visible,
    free_trial_enabled,
    free_trial_days,
    unit_prices,
});

/// What a unit, such as a seat, costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitPrice {
    /// Such as `seats`.
    pub name: Option<String>,
    /// How many units are sold together.
    pub block_size: Option<i64>,
    /// The price by quantity.
    pub tiers: Option<Vec<UnitPriceTier>>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(UnitPrice { name, block_size, tiers });

/// The price of units from one quantity to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitPriceTier {
    /// From which block on.
    pub starts_at_block: Option<i64>,
    /// Up to which block; none where it does not end.
    pub ends_after_block: Option<i64>,
    /// The price of a block, in the smallest unit of the currency.
    pub amount_per_block: Option<Number>,
    /// Such as `USD`.
    pub currency: Option<String>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(UnitPriceTier { starts_at_block, ends_after_block, amount_per_block, currency });

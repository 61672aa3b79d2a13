//! Amounts of money, and what is set off against them.

use serde_json::Number;

use crate::payload::fields::{Extra, entity};

/// An amount of money.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Money {
    /// In the smallest unit of the currency, such as cents.
    pub amount: Option<Number>,
    /// As people write it, without the symbol.
    pub amount_formatted: Option<String>,
    /// Such as `USD`.
    pub currency: Option<String>,
    /// Such as `$`.
    pub currency_symbol: Option<String>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Money { amount, amount_formatted, currency, currency_symbol });

/// What a payment comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Before tax.
    pub subtotal: Option<Money>,
    /// The tax.
    pub tax_total: Option<Money>,
    /// With tax.
    pub grand_total: Option<Money>,
    /// By kind of unit, such as seats.
    pub per_unit_totals: Option<Vec<UnitTotal>>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Totals { subtotal, tax_total, grand_total, per_unit_totals });

/// What the units of one kind come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitTotal {
    /// Such as `seats`.
    pub name: Option<String>,
    /// The price of one.
    pub amount: Option<Number>,
    /// How many.
    pub quantity: Option<i64>,
    /// The price of all.
    pub total: Option<Number>,
    /// Such as `USD`.
    pub currency: Option<String>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(UnitTotal { name, amount, quantity, total, currency });

/// What is set off for an unused part of a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credit {
    /// How much.
    pub amount: Option<Money>,
    /// How many days were left.
    pub cycle_days_remaining: Option<Number>,
    /// How many days the period has.
    pub cycle_days_total: Option<Number>,
    /// Which part was left.
    pub cycle_remaining_percent: Option<Number>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Credit { amount, cycle_days_remaining, cycle_days_total, cycle_remaining_percent });

/// What is set off in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credits {
    /// For an unused part of a period.
    pub proration: Option<Credit>,
    /// From the payer's balance.
    pub payer: Option<PayerCredit>,
    /// Both.
    pub total: Option<Money>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Credits { proration, payer, total });

/// What is set off from a payer's balance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayerCredit {
    /// How much.
    pub applied_amount: Option<Money>,
    /// What is left of the balance.
    pub remaining_balance: Option<Money>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(PayerCredit { applied_amount, remaining_balance });

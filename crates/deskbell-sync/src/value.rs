//! The value of one column of one row, as every target can hold it.

use clerk_webhooks::UnixMillis;

/// A column's value. Neither texts nor the strings of JSON contain NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Missing, null, or of a kind that the column does not hold.
    Null,
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A moment.
    Time(UnixMillis),
    /// JSON text.
    Json(String),
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An id of Clerk's: a text that is compared as bytes everywhere. Where Clerk has none it may
    /// write `""`, as a payer's `organization_id`: that is none too.
    Id,
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number with every digit that it has, as an amount that is no whole number.
    Decimal,
    /// True or false.
    Boolean,
    /// A moment.
    Time,
    /// Any JSON but null, as it was written: the application's own, or a list of texts. Nothing is
    /// left out of it.
    Json,
}

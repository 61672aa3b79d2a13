//! The value of one column of one row, as every target can hold it.

use clerk_webhooks::UnixMillis;

/// A column's value. Texts bear no NUL, and JSON none in its strings.
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

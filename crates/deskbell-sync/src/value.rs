//! The value of one column of one row, as every target can hold it.

use clerk_webhooks::UnixMillis;

/// A column's value. Neither texts nor the strings of JSON contain NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Missing, null, or of a kind that the column does not hold.
    Null,
    Text(String),
    Integer(i64),
    Boolean(bool),
    Time(UnixMillis),
    Json(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An id of Clerk's: a text that is compared as bytes everywhere. Where Clerk has none it may
    /// write `""`, as a payer's `organization_id`: that is none too.
    Id,
    Text,
    Integer,
    /// A number with every digit that it has, as an amount that is no whole number.
    Decimal,
    Boolean,
    Time,
    /// Any JSON but null, as it was written: the application's own, or a list of texts. Nothing is
    /// left out of it.
    Json,
}

impl Value {
    pub(crate) fn into_text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// As people read it: times as ISO-8601 text.
    pub(crate) fn into_json(self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Text(text) => text.into(),
            Self::Integer(integer) => integer.into(),
            Self::Boolean(boolean) => boolean.into(),
            Self::Time(time) => time.to_string().into(),
            Self::Json(text) => serde_json::from_str(&text).unwrap_or_else(|_| text.into()),
        }
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        if let Self::Integer(integer) = self { Some(*integer) } else { None }
    }

    pub(crate) fn time(&self) -> Option<UnixMillis> {
        if let Self::Time(time) = self { Some(*time) } else { None }
    }

    /// SQLite computes truths as numbers.
    pub(crate) fn is_true(&self) -> bool {
        matches!(self, Self::Boolean(true) | Self::Integer(1))
    }
}

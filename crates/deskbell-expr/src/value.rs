//! `Value`: what an expression gives.

use std::fmt;

use clerk_webhooks::UnixMillis;

#[derive(Clone, PartialEq)]
pub enum Value {
    /// Nothing: JSON's null, or a path that is missing.
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number above [`i64::MAX`].
    UInt(u64),
    Float(f64),
    Text(String),
    /// A list or a map, as JSON without spaces.
    Json(String),
    /// A moment, cut to milliseconds.
    Time(UnixMillis),
}

impl Value {
    /// The kind of the value; `Null` has none.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) | Self::UInt(_) => Kind::Int,
            Self::Float(_) => Kind::Float,
            Self::Text(_) => Kind::Text,
            Self::Json(_) => Kind::Json,
            Self::Time(_) => Kind::Time,
        })
    }
}

impl fmt::Debug for Value {
    /// The kind alone: the value may be a person's address or a one-time code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            None => f.write_str("Null"),
            Some(kind) => write!(f, "{kind:?}(..)"),
        }
    }
}

/// The kind of a value, to compare with a column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// [`Value::Bool`].
    Bool,
    /// [`Value::Int`] and [`Value::UInt`].
    Int,
    /// [`Value::Float`].
    Float,
    /// [`Value::Text`].
    Text,
    /// [`Value::Json`].
    Json,
    /// [`Value::Time`].
    Time,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "a boolean",
            Self::Int => "a whole number",
            Self::Float => "a number",
            Self::Text => "a text",
            Self::Json => "a list or a map",
            Self::Time => "a time",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    True,
    False {
        /// The first path that was asked for and is missing, such as `data.public_metadata.plan`.
        missing: Option<String>,
    },
}

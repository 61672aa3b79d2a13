//! The text of a statement, and what it is given.

use std::sync::Arc;

use clerk_webhooks::UnixMillis;

use crate::value::Value;

/// The text of a statement, the same every time, so that it stays prepared.
pub(crate) type Sql = Arc<str>;

/// A parameter of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Param<'a> {
    Text(&'a str),
    Integer(i64),
    /// A text, or null.
    OptionalText(Option<&'a str>),
    Float(f64),
    Boolean(bool),
    /// A list of texts, as one parameter.
    Texts(&'a [&'a str]),
}

/// One value of many, borrowed from a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Null,
    /// A text, or JSON.
    Text(&'a str),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Time(UnixMillis),
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Text(text) | Value::Json(text) => Self::Text(text),
            Value::Integer(integer) => Self::Integer(*integer),
            Value::Boolean(boolean) => Self::Boolean(*boolean),
            Value::Time(time) => Self::Time(*time),
        }
    }
}

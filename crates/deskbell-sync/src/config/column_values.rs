//! What the columns of a table of yours are given: expressions, and ids that are looked up.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::expressions::{Expressions, Named};

/// Values by the name of the column.
pub type ColumnValues = Named<ColumnValue>;

/// The value of one column.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ColumnValue {
    /// A CEL expression.
    Expression(String),
    /// What a row of another table has.
    Lookup(LookupConfig),
}

/// A value that is looked up in another table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LookupConfig {
    /// The table, as `table` or `schema.table`.
    pub lookup: String,
    /// The columns by which its row is found, and the CEL expressions of their values. They need a
    /// unique index.
    #[serde(rename = "where")]
    pub by: Expressions,
    /// The column of that row whose value it is.
    pub column: String,
}

impl From<&str> for ColumnValue {
    fn from(text: &str) -> Self {
        Self::Expression(text.to_owned())
    }
}

/// An expression as its text.
impl fmt::Debug for ColumnValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expression(text) => text.fmt(f),
            Self::Lookup(lookup) => lookup.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for ColumnValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneValue;

        impl<'de> Visitor<'de> for OneValue {
            type Value = ColumnValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "an expression, or { lookup = \"table\", where = { column = \"CEL\" }, column = \
                     \"id\" }",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ColumnValue, E> {
                Ok(ColumnValue::Expression(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ColumnValue, A::Error> {
                LookupConfig::deserialize(MapAccessDeserializer::new(map)).map(ColumnValue::Lookup)
            }
        }

        deserializer.deserialize_any(OneValue)
    }
}

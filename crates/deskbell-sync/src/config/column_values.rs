//! What the columns of a table of yours are given: expressions, and ids that are looked up.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::expressions::Expressions;

/// Values by the name of the column, in the order of the file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ColumnValues(pub Vec<(String, ColumnValue)>);

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

impl ColumnValues {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each column with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ColumnValue)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for ColumnValues {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self(pairs.map(|(name, text)| (name.to_owned(), text.into())).collect())
    }
}

/// As earlier versions wrote it, which had expressions alone: a row tells by this how it was made.
impl fmt::Debug for ColumnValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expressions").field(&self.0).finish()
    }
}

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

impl<'de> Deserialize<'de> for ColumnValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = ColumnValues;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of columns and values, such as { id = \"user.id\" }")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ColumnValues, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(ColumnValues(pairs))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

impl Serialize for ColumnValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

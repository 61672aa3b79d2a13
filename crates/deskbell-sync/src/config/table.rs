//! `[[destination.table]]`: a table of your own, kept from events.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::column_values::ColumnValues;
use super::expressions::Expressions;
use super::line::Line;

/// One table that is kept from the events of an entity. Values are CEL expressions, or looked up in
/// another table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TableConfig {
    /// The entity whose versions become rows.
    pub entity: String,
    /// The table, as `table` or `schema.table`.
    pub into: String,
    /// What becomes of a row whose entity was deleted. Default: `delete`.
    #[serde(default)]
    pub on_delete: OnRowDelete,
    /// The columns by which a row is found, and their values.
    pub key: ColumnValues,
    /// The other columns, and their values.
    #[serde(default, skip_serializing_if = "ColumnValues::is_empty")]
    pub columns: ColumnValues,
    /// Columns that only a new row is given, and their values. `uuid()` and `cuid()` stand for ids
    /// that are made from the entity's, so that a replay gives the same ones.
    #[serde(default, skip_serializing_if = "Expressions::is_empty")]
    pub on_insert: Expressions,
    /// The line of the file that it begins on.
    #[serde(skip)]
    pub line: Line,
}

impl TableConfig {
    /// Where it is, for errors.
    pub(crate) fn declared_at(&self) -> String {
        self.line.of("table")
    }
}

/// What becomes of a row of yours whose entity was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRowDelete {
    /// It goes.
    #[default]
    Delete,
    /// It stays as it is.
    Keep,
    /// It stays, and these columns take these values.
    Set(Expressions),
}

impl<'de> Deserialize<'de> for OnRowDelete {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnRowDeleteVisitor)
    }
}

struct OnRowDeleteVisitor;

impl<'de> Visitor<'de> for OnRowDeleteVisitor {
    type Value = OnRowDelete;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"delete\", \"keep\" or { set = { column = \"CEL\" } }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OnRowDelete, E> {
        match text {
            "delete" => Ok(OnRowDelete::Delete),
            "keep" => Ok(OnRowDelete::Keep),
            other => Err(E::unknown_variant(other, &["delete", "keep"])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OnRowDelete, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Set {
            set: Expressions,
        }
        Set::deserialize(MapAccessDeserializer::new(map)).map(|set| OnRowDelete::Set(set.set))
    }
}

//! Drift: where the rows of a mirror differ from what they must be.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::truth::{Row, Truth};
use crate::world::{BACKUP_CODE_MARKER, PRIVATE_MARKER};

/// Texts that stand in every secret of the simulated payloads: `private_metadata`, and the backup codes of phones.
///
/// A mirror's file or rows that hold one of them leak, unless `private_metadata` was asked for.
pub const SECRET_MARKERS: [&str; 2] = [PRIVATE_MARKER, BACKUP_CODE_MARKER];

/// The rows of a mirror by table, named as in [`Truth`]: `users`, not `clerk_users`. Each row has an `id`.
pub type Tables = BTreeMap<String, Vec<Map<String, Value>>>;

/// One entity whose row is not what it must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The table, named without prefix or schema.
    pub table: String,
    pub id: String,
    pub finding: Finding,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// The entity is alive, and the mirror has no row of it.
    Missing,
    /// The mirror has a row that must not be: of a deleted entity, of one that never was, or a second one.
    Extra,
    Columns(Vec<ColumnDifference>),
}

/// One column of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDifference {
    pub column: String,
    /// What must stand there; null in a column that holds a secret of the payload.
    pub expected: Value,
    /// What stands there; `None` where the row has no such column.
    pub found: Option<Value>,
}

/// Compares a mirror's rows with the truth: one [`Difference`] an entity, none if the mirror is right.
///
/// A column that the truth does not name is looked at for secrets alone ([`SECRET_MARKERS`]). Booleans may be `true`
/// or `1`, whole numbers may be written as floats, and a JSON column may be JSON or its text.
#[must_use]
pub fn drift(truth: &Truth, actual: &Tables) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (table, mut expected) in truth.tables() {
        let found = actual.get(table).map_or(&[][..], Vec::as_slice);
        let mut report = |id: &str, finding| {
            differences.push(Difference { table: table.to_owned(), id: id.to_owned(), finding });
        };
        for row in found {
            let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
            match expected.remove(id) {
                None => report(id, Finding::Extra),
                Some(expected) => {
                    let columns = differing_columns(expected, row);
                    if !columns.is_empty() {
                        report(id, Finding::Columns(columns));
                    }
                }
            }
        }
        for id in expected.keys() {
            report(id, Finding::Missing);
        }
    }
    differences
}

/// The rows of entities that the truth [knows](Truth::knows): a mirror may hold others beside them, of other runs.
#[must_use]
pub fn rows_of(truth: &Truth, mut actual: Tables) -> Tables {
    for (table, rows) in &mut actual {
        rows.retain(|row| {
            let id = row.get("id").and_then(Value::as_str);
            id.is_some_and(|id| truth.knows(table, id))
        });
    }
    actual
}

fn differing_columns(expected: &Row, found: &Map<String, Value>) -> Vec<ColumnDifference> {
    let mut columns = Vec::new();
    for (&column, expected) in expected {
        let found = found.get(column);
        if !found.is_some_and(|found| same(expected, found)) {
            columns.push(ColumnDifference {
                column: column.to_owned(),
                expected: expected.clone(),
                found: found.cloned(),
            });
        }
    }
    let leaks = found.iter().filter(|(_, value)| holds_secret(value));
    columns.extend(leaks.map(|(column, value)| ColumnDifference {
        column: column.clone(),
        expected: Value::Null,
        found: Some(value.clone()),
    }));
    columns
}

fn same(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Bool(expected), Value::Number(found)) => {
            found.as_i64() == Some(i64::from(*expected))
        }
        (Value::Number(expected), Value::Number(found)) => expected.as_f64() == found.as_f64(),
        (Value::Object(_) | Value::Array(_), Value::String(text)) => {
            serde_json::from_str(text).is_ok_and(|found: Value| same(expected, &found))
        }
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().zip(found).all(|(a, b)| same(a, b))
        }
        (Value::Object(expected), Value::Object(found)) => {
            expected.len() == found.len()
                && expected.iter().all(|(key, a)| found.get(key).is_some_and(|b| same(a, b)))
        }
        _ => expected == found,
    }
}

fn holds_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => SECRET_MARKERS.iter().any(|marker| text.contains(marker)),
        Value::Array(items) => items.iter().any(holds_secret),
        Value::Object(members) => members.values().any(holds_secret),
        _ => false,
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, id, finding } = self;
        match finding {
            Finding::Missing => write!(f, "{table} {id}: the row is missing"),
            Finding::Extra => write!(f, "{table} {id}: the row must not exist"),
            Finding::Columns(columns) => {
                write!(f, "{table} {id}: ")?;
                for (index, difference) in columns.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{difference}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for ColumnDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, expected, found } = self;
        match found {
            Some(found) => write!(f, "{column}: expected {expected}, found {found}"),
            None => write!(f, "column {column} is missing, expected {expected}"),
        }
    }
}

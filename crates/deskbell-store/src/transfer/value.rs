//! A column's value, the same from either database.

use crate::rows::Columns;

/// What stands in a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Value {
    /// Whole numbers, and truth values as 0 and 1.
    Integer(Option<i64>),
    /// Texts, and JSON in its one canonical form.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
}

/// What kind of value a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    /// 0 or 1 in SQLite, a boolean in PostgreSQL.
    Boolean,
    Text,
    Json,
    Bytes,
}

impl Value {
    pub(super) fn integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self { *value } else { None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(value) = self { value.as_deref() } else { None }
    }

    pub(super) fn bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(value) = self { value.as_deref() } else { None }
    }
}

/// A row with these columns. No text of PostgreSQL's has a NUL.
pub(super) fn read(
    columns: &[(&str, Kind)],
    row: &impl Columns,
) -> Result<Vec<Value>, sqlx::Error> {
    let columns = columns.iter().enumerate();
    columns
        .map(|(index, (_, kind))| {
            Ok(match kind {
                Kind::Integer | Kind::Boolean => Value::Integer(row.integer_or_null(index)?),
                Kind::Text => {
                    let text = row.text_or_null(index)?;
                    Value::Text(text.map(|text| text.replace('\0', "\u{fffd}")))
                }
                Kind::Json => Value::Text(row.text_or_null(index)?.map(canonical_json)),
                Kind::Bytes => Value::Bytes(row.bytes_or_null(index)?),
            })
        })
        .collect()
}

/// Members in the order of their names, and no space between.
fn canonical_json(text: String) -> String {
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(value) => value.to_string(),
        Err(_) => text,
    }
}

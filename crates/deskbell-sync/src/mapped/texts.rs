//! The values of a row, as the database reads them.

use deskbell_expr::Value;

use crate::db::{Cell, ColumnClass, Dialect, LiveColumn};

/// Values and their texts, ready to be borrowed.
#[derive(Debug)]
pub(super) struct RowTexts {
    values: Vec<(ColumnClass, Value, Option<String>)>,
    /// The first column that would be given a word, such as `now`, for a time.
    no_time: Option<String>,
}

impl RowTexts {
    pub(super) fn new(columns: &[LiveColumn], values: Vec<Value>) -> Self {
        let padded = values.into_iter().chain(std::iter::repeat(Value::Null));
        let mut no_time = None;
        let texts = columns.iter().zip(padded).map(|(column, value)| {
            if no_time.is_none() && column.class.is_word_of_time(&value) {
                no_time = Some(column.name.clone());
            }
            let text = column.class.text(&value);
            (column.class, value, text)
        });
        Self { values: texts.collect(), no_time }
    }

    pub(super) fn join(mut self, other: Self) -> Self {
        self.values.extend(other.values);
        self.no_time = self.no_time.or(other.no_time);
        self
    }

    /// The column that would be given no time, if there is one.
    pub(super) fn no_time(&self) -> Option<&String> {
        self.no_time.as_ref()
    }

    /// As a list of JSON, for statements that take rows so.
    pub(super) fn json(&self, dialect: Dialect) -> Vec<serde_json::Value> {
        let value = |cell| match cell {
            Cell::Text(text) => text.into(),
            Cell::Integer(integer) => integer.into(),
            Cell::Float(float) => float.into(),
            Cell::Boolean(boolean) => boolean.into(),
            Cell::Time(time) => time.to_string().into(),
            Cell::Null => serde_json::Value::Null,
        };
        self.cells(dialect).into_iter().map(value).collect()
    }

    pub(super) fn is_null(&self, index: usize) -> bool {
        self.values.get(index).is_none_or(|(_, value, _)| *value == Value::Null)
    }

    pub(super) fn cells(&self, dialect: Dialect) -> Vec<Cell<'_>> {
        self.values
            .iter()
            .map(|(class, value, text)| match dialect {
                Dialect::Sqlite => class.cell(value, text.as_deref()),
                Dialect::Postgres => text.as_deref().map_or(Cell::Null, Cell::Text),
            })
            .collect()
    }
}

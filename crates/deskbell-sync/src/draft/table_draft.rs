//! A drafted mapping.

use super::column::{DraftedColumn, UnfilledColumn};
use crate::config::{ColumnValue, Expressions, Line, Named, OnRowDelete, TableConfig};

/// A mapping of users into a table of the application's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDraft {
    /// The table, as the config names it.
    pub into: String,
    /// The column that holds Clerk's id of the user.
    pub key: DraftedColumn,
    /// The columns that follow the user.
    pub columns: Vec<DraftedColumn>,
    /// The columns that a new row is given.
    pub on_insert: Vec<DraftedColumn>,
    /// What a row of a deleted user is given; if it is nothing, the row is deleted.
    pub on_delete: Vec<DraftedColumn>,
    /// Columns that must not be null, and that neither Clerk nor the database fills: no row can be
    /// inserted before each is given a value or a default.
    pub unfilled: Vec<UnfilledColumn>,
    /// The statement that makes the index which the key needs, if it has none.
    pub missing_index: Option<String>,
    /// The columns that are left as they are.
    pub untouched: Vec<String>,
}

impl TableDraft {
    /// The mapping, as the config has it.
    #[must_use]
    pub fn to_config(&self) -> TableConfig {
        let set = expressions(&self.on_delete);
        TableConfig {
            entity: "user".to_owned(),
            into: self.into.clone(),
            on_delete: if set.is_empty() { OnRowDelete::Delete } else { OnRowDelete::Set(set) },
            key: values(std::slice::from_ref(&self.key)),
            columns: values(&self.columns),
            on_insert: expressions(&self.on_insert),
            line: Line::default(),
        }
    }
}

fn expressions(columns: &[DraftedColumn]) -> Expressions {
    Named(columns.iter().map(|one| (one.column.clone(), one.value.clone())).collect())
}

fn values(columns: &[DraftedColumn]) -> Named<ColumnValue> {
    let value = |text: &String| ColumnValue::Expression(text.clone());
    Named(columns.iter().map(|one| (one.column.clone(), value(&one.value))).collect())
}

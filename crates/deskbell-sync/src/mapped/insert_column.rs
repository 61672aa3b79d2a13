//! Columns that only a new row is given.

use deskbell_expr::Value;

use super::record::Record;
use crate::db::{LiveColumn, LiveTable};
use crate::mapping::{GeneratedId, MappedTable};

/// A column that only a new row is given.
#[derive(Debug)]
pub(super) struct InsertColumn {
    pub(super) column: LiveColumn,
    generated: Option<GeneratedId>,
    /// Whether the id that is made for it must be its own. Then a row has two of them: where another
    /// entity took over the row with the first one, and so its id, the second is used.
    pub(super) has_second: bool,
}

impl InsertColumn {
    pub(super) fn all(mapped: &MappedTable, live: &LiveTable) -> Vec<Self> {
        let columns = mapped.on_insert.iter().filter_map(|(name, value)| {
            let is_unique = live
                .unique
                .iter()
                .any(|index| index.columns.len() == 1 && index.columns.contains(name));
            let generated = value.generated();
            let has_second = is_unique && generated.is_some();
            Some(Self { column: live.column(name)?.clone(), generated, has_second })
        });
        columns.collect()
    }

    /// How many values of a row are for this column.
    pub(super) fn width(&self) -> usize {
        1 + usize::from(self.has_second)
    }

    /// The values for the row of an entity, given what its version says of the column.
    pub(super) fn values(&self, record: &Record, table: &str, said: Value) -> Vec<Value> {
        let Some(generated) = self.generated else { return vec![said] };
        let mut parts = vec![record.id.as_str(), table, self.column.name.as_str()];
        let mut values = vec![Value::Text(generated.made_of(&parts))];
        if self.has_second {
            // No other version of it has had this one.
            parts.extend(record.version.as_ref().map(|version| version.message_id.as_str()));
            values.push(Value::Text(generated.made_of(&parts)));
        }
        values
    }
}

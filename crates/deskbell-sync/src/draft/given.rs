//! The values that the user chose, in the place of those that were drafted.

use super::catalog::FoundTable;
use super::column::DraftedColumn;
use super::error::DraftError;
use super::table_draft::TableDraft;

/// The draft with these values. What it had no value for becomes a value of new rows.
pub(super) fn with(
    mut draft: TableDraft,
    found: &FoundTable,
    given: &[(String, String)],
) -> Result<TableDraft, DraftError> {
    for (name, value) in given {
        let into = found.into.clone();
        let Some(column) = found.live.column(name) else {
            let there = found.live.columns.iter().map(|column| column.name.clone()).collect();
            return Err(DraftError::NoColumn { into, column: name.clone(), there });
        };
        if column.generated {
            return Err(DraftError::Generated { into, column: name.clone() });
        }
        draft.set(name, value);
    }
    Ok(draft)
}

impl TableDraft {
    fn set(&mut self, name: &str, value: &str) {
        self.unfilled.retain(|unfilled| unfilled.column != name);
        self.untouched.retain(|untouched| untouched != name);
        let drafted = DraftedColumn::new(name, value);
        let known = [&mut self.key].into_iter().chain(&mut self.columns).chain(&mut self.on_insert);
        if let Some(known) = known.into_iter().find(|known| known.column == name) {
            *known = drafted;
            return;
        }
        self.on_insert.push(drafted);
    }
}

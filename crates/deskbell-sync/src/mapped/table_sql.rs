//! Statements about the application's table. Only mapped columns are ever named.

use deskbell_expr::Value;

use super::insert_column::InsertColumn;
use super::lookups::Lookups;
use super::record::Record;
use super::texts::RowTexts;
use super::writer::{Vacate, Writer};
use crate::db::{
    Bulk, Cell, ColumnClass, DatabaseError, DbSession, Deferrable, Dialect, LiveColumn, LiveLookup,
    LiveTable,
};
use crate::mapping::{MappedTable, MappedValue};
use crate::scalar::{decode, decode_columns};

/// The statements about one mapped table. Rows begin with the columns of the key.
#[derive(Debug)]
pub(super) struct TableSql {
    pub(super) dialect: Dialect,
    key: Vec<LiveColumn>,
    columns: Vec<LiveColumn>,
    /// The columns that only a new row is given. A row to write has them behind the mapped ones.
    on_insert: Vec<InsertColumn>,
    /// The same, each as often as it has values.
    inserted: Vec<LiveColumn>,
    /// The table as the config names it, of which generated ids are made.
    into: String,
    set: Vec<LiveColumn>,
    /// The columns that are left as they are where their value is null, and for each choice of them a
    /// statement; its number has a bit for each that is null.
    left_alone: Vec<usize>,
    writes: Vec<Bulk>,
    /// Rows of the key and the columns that are set. `None` where none are.
    pub(super) flag: Option<Bulk>,
    /// Rows of the key: gives the columns that are set their defaults again. `None` where a write does
    /// that.
    pub(super) unflag: Option<Bulk>,
    /// Rows of the key.
    pub(super) remove: Bulk,
    /// Rows of the new key and the old one.
    pub(super) relocate: Bulk,
    /// Rows of the key: spells it as it is given, where the row's only equals it.
    pub(super) respell: Bulk,
    /// By the unique indexes that have mapped columns.
    pub(super) vacates: Vec<Vacate>,
    /// The same of all of them. `None` where no mapped column must be unique.
    pub(super) vacate_all: Option<Vacate>,
    pub(super) deferrable: Vec<Deferrable>,
    pub(super) lookups: Lookups,
    /// Equal keys are the same bytes, whatever the database does.
    pub(super) bytewise: bool,
    /// Texts go into the columns of the key as they are.
    pub(super) keeps_texts: bool,
    /// Triggers, rules or policies may store something else than what they are given, or nothing.
    pub(super) rewrites: bool,
}

impl TableSql {
    /// The statements for a table that was [checked](LiveTable::check).
    pub(super) fn new(dialect: Dialect, mapped: &MappedTable, live: &LiveTable) -> Self {
        let find = |columns: &[(String, MappedValue)]| -> Vec<LiveColumn> {
            let found = columns.iter().filter_map(|(name, _)| live.column(name));
            found.map(LiveColumn::as_given).collect()
        };
        let (mut key, columns) = (find(&mapped.key), find(&mapped.columns));
        let set = mapped.set().iter().filter_map(|(name, _)| live.column(name).cloned());
        let set: Vec<_> = set.collect();
        if let Some(index) = live.index_of(&key) {
            key = key.iter().map(|column| LiveTable::compared(column, index)).collect();
        }
        let on_insert = InsertColumn::all(mapped, live);
        let writer = Writer { dialect, table: &live.name, key: &key, on_insert: &on_insert };
        let left_alone = writer.left_alone(&columns);
        let is_mapped = |column: &LiveColumn| columns.iter().any(|other| other.name == column.name);
        let unflagged: Vec<_> = set.iter().filter(|column| !is_mapped(column)).cloned().collect();
        Self {
            dialect,
            writes: writer.writes(&columns, &left_alone),
            flag: (!set.is_empty()).then(|| writer.flag(&set)),
            unflag: (!unflagged.is_empty()).then(|| writer.unflag(&unflagged)),
            remove: writer.remove(),
            relocate: writer.relocate(),
            respell: writer.respell(),
            vacates: writer.vacates(&columns, live),
            vacate_all: writer.vacate_all(&columns, live),
            deferrable: live.unique.iter().filter_map(|index| index.deferrable.clone()).collect(),
            lookups: Lookups::new(&writer, &columns, live),
            bytewise: key.iter().all(|column| column.is_bytewise(dialect)),
            keeps_texts: key
                .iter()
                .all(|column| matches!(column.class, ColumnClass::Text | ColumnClass::Other)),
            rewrites: live.rewrites,
            left_alone,
            key,
            columns,
            inserted: on_insert
                .iter()
                .flat_map(|insert| std::iter::repeat_n(insert.column.clone(), insert.width()))
                .collect(),
            on_insert,
            into: mapped.into.clone(),
            set,
        }
    }

    /// Runs each of the statements without rows.
    pub(super) async fn probe(&self, session: &mut dyn DbSession) -> Result<(), DatabaseError> {
        let others = [&self.remove, &self.relocate, &self.respell];
        let vacate = self.vacate_all.iter().map(|vacate| &vacate.bulk);
        let others = others.into_iter().chain(&self.flag).chain(&self.unflag).chain(vacate);
        for bulk in self.writes.iter().chain(others) {
            session.probe(bulk).await?;
        }
        Ok(())
    }

    pub(super) fn cells<'a>(&self, row: &'a RowTexts) -> Vec<Cell<'a>> {
        row.cells(self.dialect)
    }

    /// The statement that writes this row of the key and the mapped columns.
    pub(super) fn write_of(&self, row: &RowTexts) -> &Bulk {
        let nulls = self.left_alone.iter().enumerate();
        let nulls = nulls.filter(|(_, column)| row.is_null(self.key.len() + **column));
        &self.writes[nulls.map(|(bit, _)| 1 << bit).sum::<usize>()]
    }

    /// Every statement that writes rows.
    pub(super) fn writes(&self) -> &[Bulk] {
        &self.writes
    }

    pub(super) fn key_texts(&self, key: &str) -> RowTexts {
        RowTexts::new(&self.key, decode(key))
    }

    pub(super) fn column_texts(&self, record: &Record) -> RowTexts {
        self.row_texts(record, self.decode(record))
    }

    /// The values of the mapped columns, and of those that only a new row is given.
    fn row_texts(&self, record: &Record, mut values: Vec<Value>) -> RowTexts {
        let said = values.split_off(self.columns.len());
        let inserted = self.on_insert.iter().zip(said);
        let inserted: Vec<_> =
            inserted.flat_map(|(column, said)| column.values(record, &self.into, said)).collect();
        let columns = RowTexts::new(&self.columns, values);
        columns.join(RowTexts::new(&self.inserted, inserted))
    }

    /// What the version says of each column; null of those that are not its to say.
    fn decode(&self, record: &Record) -> Vec<Value> {
        let on_insert = self.on_insert.iter().map(|column| &column.column);
        let columns = self.columns.iter().chain(on_insert);
        let mut values = decode_columns(&record.values, columns.map(|column| &*column.name));
        values.resize(self.columns.len() + self.on_insert.len(), Value::Null);
        values
    }

    pub(super) fn set_texts(&self, values: &[Value]) -> RowTexts {
        RowTexts::new(&self.set, values.to_vec())
    }

    /// The mapped columns of a row that is set as deleted: what is set goes before what is mapped.
    pub(super) fn flagged_texts(&self, record: &Record, set: &[Value]) -> RowTexts {
        let mut values = self.decode(record);
        for (column, value) in self.set.iter().zip(set) {
            if let Some(at) = self.columns.iter().position(|other| other.name == column.name) {
                values[at] = value.clone();
            }
        }
        self.row_texts(record, values)
    }

    /// The columns of the key whose equal texts have no form that all share.
    pub(super) fn spelled_parts(&self) -> impl Iterator<Item = usize> {
        let columns = self.key.iter().enumerate();
        columns.filter(|(_, column)| !column.deterministic).map(|(at, _)| at)
    }

    /// The values of these columns in a row of the key and the mapped columns.
    pub(super) fn position(&self, column: &str) -> Option<usize> {
        let mut all = self.key.iter().chain(&self.columns);
        all.position(|known| known.name == column)
    }

    /// The lookups of its columns.
    pub(super) fn looked_up(&self) -> impl Iterator<Item = &LiveLookup> {
        self.key.iter().chain(&self.columns).filter_map(|column| column.lookup.as_ref())
    }

    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<crate::db::Sql> {
        let vacates = self.vacates.iter().chain(&self.vacate_all).map(|vacate| &vacate.bulk);
        let several = self.writes.iter().chain(&self.flag).chain(&self.unflag).chain(vacates);
        let one = [&self.remove, &self.relocate, &self.respell];
        let bulks = several.chain(one).flat_map(Bulk::texts);
        bulks.chain(self.lookups.texts()).collect()
    }
}

//! Statements about the application's table. Only mapped columns are ever named.

use deskbell_expr::Value;

use super::MappedTable;
use super::live::{Class, LiveColumn, LiveTable};
use super::scalar::decode;
use crate::entity::Kind;
use crate::schema::{Dialect, quoted};
use crate::session::{Cell, DatabaseError, Session};
use crate::sql::Bulk;

/// The statements about one mapped table. Rows begin with the columns of the key.
#[derive(Debug)]
pub(super) struct TableSql {
    dialect: Dialect,
    key: Vec<LiveColumn>,
    columns: Vec<LiveColumn>,
    set: Vec<LiveColumn>,
    /// Rows of the key and the mapped columns.
    pub(super) write: Bulk,
    /// Rows of the key and the columns that are set.
    pub(super) flag: Bulk,
    /// Rows of the key: gives the columns that are set their defaults again.
    pub(super) unflag: Bulk,
    /// Rows of the key.
    pub(super) remove: Bulk,
    /// Rows of the new key and the old one.
    pub(super) relocate: Bulk,
    /// Rows of the key: makes room where rows exchange what must be unique. `None` where no mapped
    /// column could be null.
    pub(super) vacate: Option<Bulk>,
}

impl TableSql {
    /// The statements for a table that was [checked](LiveTable::check).
    pub(super) fn new(dialect: Dialect, mapped: &MappedTable, live: &LiveTable) -> Self {
        let find = |columns: &[(String, deskbell_expr::Expression)]| -> Vec<LiveColumn> {
            columns.iter().filter_map(|(name, _)| live.column(name).cloned()).collect()
        };
        let (key, columns, set) = (find(&mapped.key), find(&mapped.columns), find(mapped.set()));
        let writer = Writer { dialect, table: &live.name, key: &key };
        Self {
            dialect,
            write: writer.write(&columns),
            flag: writer.flag(&set),
            unflag: writer.unflag(&set),
            remove: writer.remove(),
            relocate: writer.relocate(),
            vacate: writer.vacate(&columns, live),
            key,
            columns,
            set,
        }
    }

    /// Runs each of the statements without rows.
    pub(super) async fn probe(&self, session: &mut dyn Session) -> Result<(), DatabaseError> {
        session.probe(&self.write).await?;
        session.probe(&self.remove).await?;
        session.probe(&self.relocate).await?;
        if self.sets_anything() {
            session.probe(&self.flag).await?;
            session.probe(&self.unflag).await?;
        }
        match &self.vacate {
            Some(vacate) => session.probe(vacate).await,
            None => Ok(()),
        }
    }

    /// The cells of a row.
    pub(super) fn cells<'a>(&self, row: &'a Texts) -> Vec<Cell<'a>> {
        row.cells(self.dialect)
    }

    pub(super) fn key_texts(&self, key: &str) -> Texts {
        Texts::new(&self.key, decode(key))
    }

    pub(super) fn column_texts(&self, values: &str) -> Texts {
        Texts::new(&self.columns, decode(values))
    }

    pub(super) fn set_texts(&self, values: Vec<Value>) -> Texts {
        Texts::new(&self.set, values)
    }

    pub(super) fn sets_anything(&self) -> bool {
        !self.set.is_empty()
    }
}

/// Values and their texts, ready to be borrowed.
#[derive(Debug)]
pub(super) struct Texts(Vec<(Class, Value, Option<String>)>);

impl Texts {
    fn new(columns: &[LiveColumn], values: Vec<Value>) -> Self {
        let padded = values.into_iter().chain(std::iter::repeat(Value::Null));
        let texts = columns.iter().zip(padded).map(|(column, value)| {
            let text = column.class.text(&value);
            (column.class, value, text)
        });
        Self(texts.collect())
    }

    pub(super) fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn cells(&self, dialect: Dialect) -> Vec<Cell<'_>> {
        self.0
            .iter()
            .map(|(class, value, text)| match dialect {
                Dialect::Sqlite => class.cell(value, text.as_deref()),
                Dialect::Postgres => text.as_deref().map_or(Cell::Null, Cell::Text),
            })
            .collect()
    }
}

struct Writer<'a> {
    dialect: Dialect,
    table: &'a str,
    key: &'a [LiveColumn],
}

impl Writer<'_> {
    fn write(&self, columns: &[LiveColumn]) -> Bulk {
        let all: Vec<_> = self.key.iter().chain(columns).collect();
        let names = list(all.iter().map(|column| quoted(&column.name)));
        let values = list(all.iter().enumerate().map(|(index, column)| self.cast(index, column)));
        let set = list(columns.iter().map(|column| {
            let name = quoted(&column.name);
            format!("{name} = excluded.{name}")
        }));
        let update =
            if columns.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {set}") };
        let key = list(self.key.iter().map(|column| quoted(&column.name)));
        self.bulk(all.len(), |given| {
            format!(
                "INSERT INTO {} ({names}) SELECT {values} FROM {given} WHERE true
                 ON CONFLICT ({key}) DO {update}",
                self.table
            )
        })
    }

    fn flag(&self, set: &[LiveColumn]) -> Bulk {
        let first = self.key.len();
        let values = list(set.iter().enumerate().map(|(index, column)| {
            format!("{} = {}", quoted(&column.name), self.cast(first + index, column))
        }));
        self.bulk(first + set.len(), |given| {
            format!(
                "UPDATE {} AS mine SET {values} FROM {given} WHERE {}",
                self.table,
                self.same(0)
            )
        })
    }

    fn unflag(&self, set: &[LiveColumn]) -> Bulk {
        let defaults = list(set.iter().map(|column| {
            let default = column.default.as_deref().unwrap_or("NULL");
            format!("{} = ({default})", quoted(&column.name))
        }));
        self.bulk(self.key.len(), |given| {
            format!(
                "UPDATE {} AS mine SET {defaults} FROM {given} WHERE {}",
                self.table,
                self.same(0)
            )
        })
    }

    fn remove(&self) -> Bulk {
        let key = list(self.key.iter().map(|column| quoted(&column.name)));
        self.bulk(self.key.len(), |given| {
            format!(
                "DELETE FROM {} WHERE ({key}) IN (SELECT {} FROM {given})",
                self.table,
                self.values(0)
            )
        })
    }

    fn relocate(&self) -> Bulk {
        let size = self.key.len();
        let moved = list(self.key.iter().enumerate().map(|(index, column)| {
            format!("{} = {}", quoted(&column.name), self.cast(index, column))
        }));
        let taken = self.key.iter().enumerate().map(|(index, column)| {
            format!("other.{} = {}", quoted(&column.name), self.cast(index, column))
        });
        let taken = taken.collect::<Vec<_>>().join(" AND ");
        self.bulk(2 * size, |given| {
            format!(
                "UPDATE {table} AS mine SET {moved} FROM {given} WHERE {} AND NOT EXISTS
                 (SELECT 1 FROM {table} AS other WHERE {taken})",
                self.same(size),
                table = self.table,
            )
        })
    }

    fn vacate(&self, columns: &[LiveColumn], live: &LiveTable) -> Option<Bulk> {
        let unique =
            |column: &&LiveColumn| live.unique.iter().any(|index| index.contains(&column.name));
        let emptied: Vec<_> =
            columns.iter().filter(unique).filter(|column| !column.not_null).collect();
        if emptied.is_empty() {
            return None;
        }
        let emptied = list(emptied.iter().map(|column| format!("{} = NULL", quoted(&column.name))));
        Some(self.bulk(self.key.len(), |given| {
            format!(
                "UPDATE {} AS mine SET {emptied} FROM {given} WHERE {}",
                self.table,
                self.same(0)
            )
        }))
    }

    /// That the row `mine` has the key that is given from the column `first` on.
    fn same(&self, first: usize) -> String {
        let parts = self.key.iter().enumerate().map(|(index, column)| {
            format!("mine.{} = {}", quoted(&column.name), self.cast(first + index, column))
        });
        parts.collect::<Vec<_>>().join(" AND ")
    }

    fn values(&self, first: usize) -> String {
        let cast = |(index, column)| self.cast(first + index, column);
        list(self.key.iter().enumerate().map(cast))
    }

    /// A given value as the column has it. Without its length, so that what is too long is refused
    /// and not cut.
    fn cast(&self, index: usize, column: &LiveColumn) -> String {
        let given = format!("given.column{}", index + 1);
        match self.dialect {
            Dialect::Sqlite => given,
            Dialect::Postgres => format!("CAST({given} AS {})", column.type_name),
        }
    }

    fn bulk(&self, columns: usize, write: impl Fn(&str) -> String) -> Bulk {
        Bulk::new(self.dialect, vec![Kind::Text; columns], write)
    }
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
